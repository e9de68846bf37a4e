/** Programs that a process brings along into a container that may have none: the host's static busybox, alone in a
 *  read-only directory that has no place in any file system. The process has it as a descriptor; with the last
 *  process that holds it, it is gone. */
import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { conflict, errnoOf } from '../../base/index.ts'
import { cloneMountTree } from '../../sys/index.ts'
import { findProgram } from '../programs/find-program.ts'

/** What the program is called inside, by the number of the descriptor that the runtime hands on. */
export const toolsProgram = '/proc/self/fd/3/busybox'

/** A descriptor of the directory; the caller closes it. `home` is the daemon's to write to. Throws `conflict` where
 *  the host has no busybox. */
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
