/** The init program of `--init`: a few kilobytes that reap orphans and pass signals on. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { invalidArgument } from '../base/index.ts'

const names = ['docker-init', 'tini-static', 'tini', 'catatonit']
const places = [
  '/usr/libexec/docker',
  '/usr/libexec/podman',
  '/usr/local/libexec/docker',
  '/usr/libexec',
  '/usr/local/bin',
  '/usr/bin',
  '/usr/sbin',
  '/sbin',
]

/** The host's path of an init program. Throws `invalidArgument` when there is none. */
export function findInit(configured?: string): string {
  if (configured !== undefined && configured !== '') {
    if (isExecutable(configured)) return configured
    throw invalidArgument(`init program ${configured} is not an executable file`)
  }
  for (const name of names) {
    const found = places.map((place) => join(place, name)).find(isExecutable)
    if (found !== undefined) return found
  }
  throw invalidArgument(
    `no init program found on this host for --init (looked for ${names.join(', ')}): install the package "tini"`,
  )
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
