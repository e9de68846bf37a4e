/** Finds programs on the host. The daemon's own PATH is ignored, so that it runs the same programs however it was
 *  started. */
import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'

const directories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** The path of an executable file: `name` itself when it contains a slash, else the first match in the directories
 *  `places`. Undefined when there is none. */
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
