/** The user database of a stage, which earlier steps may have made into anything. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { errnoOf } from '../../base/index.ts'
import type { UserFiles } from '../../runtime/index.ts'
import { openInRoot } from '../../sys/index.ts'

/** A database that is larger is not one. */
const maxBytes = 16 * 1024 * 1024

/** `/etc/passwd` and `/etc/group` below `rootfs`; those that are no files are undefined. */
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
