/** Reads the user database of a stage. Earlier steps may have replaced its files with anything. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { errnoOf } from '../../base/index.ts'
import type { UserFiles } from '../../runtime/index.ts'
import { openInRoot } from '../../sys/index.ts'

/** Larger files count as missing. */
const maxBytes = 16 * 1024 * 1024

/** The texts of `/etc/passwd` and `/etc/group` below `rootfs`. Undefined for one that is not a regular file. */
export function readUserFiles(rootfs: string): UserFiles {
  const rootFd = openSync(rootfs, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return { passwd: readInRoot(rootFd, '/etc/passwd'), group: readInRoot(rootFd, '/etc/group') }
  } finally {
    closeSync(rootFd)
  }
}

function readInRoot(rootFd: number, path: string): string | undefined {
  let fd: number
  try {
    fd = openInRoot(rootFd, path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
  try {
    const stats = fstatSync(fd)
    return stats.isFile() && stats.size <= maxBytes ? readFileSync(fd, 'utf8') : undefined
  } finally {
    closeSync(fd)
  }
}
