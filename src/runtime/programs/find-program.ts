/** Finding programs of the host. The daemon's own PATH does not matter: what it runs must not depend on who
 *  started it. */
import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'

const directories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** The path of an executable file: `name` itself when it has a slash, else the first in `places`. */
export function findProgram(name: string, places: readonly string[] = directories): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? name : undefined
  return places.map((place) => join(place, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
