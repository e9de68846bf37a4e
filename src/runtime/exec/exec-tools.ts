/** Programs for a process in a container that may have none: the host's static busybox, in a read-only directory that
 *  is mounted nowhere. The process gets the directory as a descriptor. The mount disappears with the last
 *  descriptor. */
import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { conflict, errnoOf } from '../../base/index.ts'
import { cloneMountTree } from '../../sys/index.ts'
import { findProgram } from '../programs/find-program.ts'

/** Path of busybox for such a process: below the descriptor that the runtime passes on. */
export const toolsProgram = '/proc/self/fd/3/busybox'

/** Opens the directory with busybox; the caller closes the descriptor. `home`: a directory of the daemon for the copy.
 *  Throws `conflict` when busybox is not installed on the host. */
export function openTools(home: string): number {
  const source = findProgram('busybox', ['/bin', '/usr/bin', '/sbin', '/usr/local/bin'])
  if (source === undefined) throw conflict('no busybox on this host: install the package "busybox-static"')
  const directory = join(home, 'tools')
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  const target = join(directory, 'busybox')
  if (!isCopyOf(target, source)) {
    const temporary = join(home, `tools-${process.pid}`)
    copyFileSync(source, temporary)
    chmodSync(temporary, 0o755)
    renameSync(temporary, target)
    rmSync(temporary, { force: true })
  }
  return cloneMountTree(directory, { recursive: false, readOnly: true, executable: true })
}

function isCopyOf(target: string, source: string): boolean {
  try {
    const [copy, original] = [statSync(target), statSync(source)]
    return copy.size === original.size && copy.mtimeMs >= original.mtimeMs
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}
