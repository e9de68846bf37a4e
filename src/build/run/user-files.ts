/** Reads the user database of a stage. Earlier steps may have replaced its files with anything. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { errnoOf } from '../../base/index.ts'
import { resolveUser, type UserFiles } from '../../runtime/index.ts'
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

/** Resolves `user[:group]` of `--chown` with the stage's own user database. A numeric user without a group is also the
 *  group's number. Throws `invalidArgument` for names that the database does not have. */
export function resolveOwner(text: string, rootfs: string): { readonly uid: number; readonly gid: number } {
  const [user = '', group = ''] = text.split(':')
  const { uid, gid } = resolveUser(text, readUserFiles(rootfs))
  return group === '' && /^\d+$/.test(user) ? { uid, gid: uid } : { uid, gid }
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
