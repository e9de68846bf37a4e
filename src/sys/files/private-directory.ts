/** Permissions of the engine's own directories and files. To open a path, a process needs search permission for every
 *  directory above it (path_resolution(7)). So a private directory protects everything below it, whatever the modes
 *  there. */
import { chmodSync, chownSync, lstatSync, mkdirSync, statSync } from 'node:fs'

const permissionBits = 0o7777
const othersBits = 0o077

/** Creates a directory that only root can use, with mode 0700; an existing directory gets that mode. With `group`, a
 *  group id of the host, the mode is 0710: members of the group can pass through the directory to paths that they know,
 *  but can't list it. The process's umask does not matter. Missing parents are created with mode 0700. Throws the
 *  errors of mkdir(2), chown(2) and chmod(2). */
export function makePrivateDirectory(path: string, group?: number): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const owner = process.geteuid?.() ?? 0
  const wanted = group === undefined ? 0o700 : 0o710
  const { mode, uid, gid } = statSync(path)
  if (uid !== owner || (group !== undefined && gid !== group)) chownSync(path, owner, group ?? gid)
  if ((mode & permissionBits) !== wanted) chmodSync(path, wanted)
}

/** Removes all permissions of the group and of other users from a regular file. Returns true if they had any. Returns
 *  false if they had none, if there is no such file, or if it is not a regular file. Throws the errors of chmod(2). */
export function closeFile(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isFile() !== true || (stats.mode & othersBits) === 0) return false
  chmodSync(path, stats.mode & permissionBits & ~othersBits)
  return true
}
