/** Room that is left on a disk. */
import { statfsSync } from 'node:fs'

/** What root can still use. */
export interface FreeRoom {
  readonly bytes: number
  /** New files. Undefined on file systems that make inodes as they need them, such as btrfs. */
  readonly inodes: number | undefined
}

/** Gives the room on the file system of `path`. The project quota of the directory `path` counts as the end of the disk;
 *  the blocks that are reserved for root count as free. Throws the errors of statfs(2). */
export function freeRoom(path: string): FreeRoom {
  const { bfree, bsize, files, ffree } = statfsSync(path)
  return { bytes: bfree * bsize, inodes: files === 0 ? undefined : ffree }
}
