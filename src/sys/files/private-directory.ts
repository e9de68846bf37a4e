/** Rights of the engine's own directories and files. Opening a path takes the right to search every directory above it
 *  (path_resolution(7)), so a closed directory closes everything below it, whatever the modes there are. */
import { chmodSync, chownSync, lstatSync, mkdirSync, statSync } from 'node:fs'

const permissionBits = 0o7777
const othersBits = 0o077

/** Makes a directory that only root can use: mode 0700. An existing directory gets that mode. With `group`, a group id
 *  of the host, members of that group can pass through the directory to a path that they know, and can't list it: mode
 *  0710. The process's umask does not matter. Missing parents are made with mode 0700. Throws the errors of mkdir(2),
 *  chown(2) and chmod(2). */
export function makePrivateDirectory(path: string, group?: number): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const owner = process.geteuid?.() ?? 0
  const wanted = group === undefined ? 0o700 : 0o710
  const { mode, uid, gid } = statSync(path)
  if (uid !== owner || (group !== undefined && gid !== group)) chownSync(path, owner, group ?? gid)
  if ((mode & permissionBits) !== wanted) chmodSync(path, wanted)
}

/** Takes all rights to a regular file from its group and from other users. Returns true if they had a right before; false
 *  if they had none, if there is no such file, and if it is not a regular file. Throws the errors of chmod(2). */
export function closeFile(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isFile() !== true || (stats.mode & othersBits) === 0) return false
  chmodSync(path, stats.mode & permissionBits & ~othersBits)
  return true
}
