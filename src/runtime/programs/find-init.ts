/** The init program of `--init`, which reaps orphans and forwards signals. */
import { invalidArgument } from '../../base/index.ts'
import { findProgram } from './find-program.ts'

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

/** Path of an init program on the host: `configured` if given, else the first one that is installed. Throws
 *  `invalidArgument` when there is none. */
export function findInit(configured?: string): string {
  if (configured !== undefined && configured !== '') {
    const found = findProgram(configured)
    if (found !== undefined) return found
    throw invalidArgument(`init program ${configured} is not an executable file`)
  }
  for (const name of names) {
    const found = findProgram(name, places)
    if (found !== undefined) return found
  }
  throw invalidArgument(
    `no init program found on this host for --init (looked for ${names.join(', ')}): install the package "tini"`,
  )
}
