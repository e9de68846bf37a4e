/** Owner and mode of implied directories. In overlayfs, the uppermost layer that has a directory decides its owner and
 *  mode. A layer that has `tmp/x` without an entry for `tmp` must not make `/tmp` unwritable, so such a directory takes
 *  owner and mode of the same directory in the layers below. */
import { constants } from 'node:fs'
import { errnoOf } from '../base/index.ts'
import { chmodFd, chownAt, closeFd, openFd, openInRoot, statAt, utimesAt } from '../sys/index.ts'
import { filesPath } from './paths.ts'

const oDirectory = constants.O_RDONLY | constants.O_DIRECTORY

/** Copies owner, mode and time of each directory from the uppermost layer of `below` that has it. Layers come from
 *  strangers, so each path is resolved inside the root of its layer. */
export function inheritDirectories(
  root: string,
  number: number,
  below: readonly number[],
  directories: readonly string[],
): void {
  if (directories.length === 0 || below.length === 0) return
  const roots = [number, ...below].map((each) => openFd(filesPath(root, each), oDirectory))
  try {
    const [own = -1, ...others] = roots
    for (const path of directories) inherit(own, others, path)
  } finally {
    for (const fd of roots) closeFd(fd)
  }
}

function inherit(own: number, below: readonly number[], path: string): void {
  const to = openDirectory(own, path)
  if (typeof to !== 'number') return
  const from = findBelow(below, path)
  try {
    const status = from === undefined ? undefined : statAt(from, '')
    if (status === undefined) return
    chownAt(to, '', status.uid, status.gid)
    chmodFd(to, status.mode & 0o7777)
    utimesAt(to, null, status.mtimeNs, status.mtimeNs)
  } finally {
    closeFd(to)
    if (from !== undefined) closeFd(from)
  }
}

function findBelow(below: readonly number[], path: string): number | undefined {
  for (const layer of below) {
    const found = openDirectory(layer, path)
    if (typeof found === 'number') return found
    // A file or a whiteout hides the layers further down.
    if (found === 'hidden') return undefined
  }
  return undefined
}

function openDirectory(root: number, path: string): number | 'absent' | 'hidden' {
  try {
    return openInRoot(root, path, oDirectory)
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? 'absent' : 'hidden'
  }
}
