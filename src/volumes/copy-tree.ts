/** Copies what is in a directory, with owners, modes, times, extended attributes, hard links, device nodes and holes.
 *  Never follows a symlink below the two roots. The system calls are synchronous (an asynchronous one costs ten times
 *  as much for a small file), with a pause for others every few milliseconds. */
import {
  type BigIntStats,
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TimeSlice } from '../base/index.ts'
import { getXattr, isForeignXattr, listXattrs, mknodAt, setXattr, utimesAt } from '../sys/index.ts'

/** Absolute paths are given to the `*At` calls, which then look at no descriptor. */
const noDirectory = -1
const largeBytes = 1024n * 1024n
const modeMask = 0o7777n

/** Copies the content of `source` into the existing directory `target` and gives `target` the owner, mode, times
 *  and attributes of `source`. */
export async function copyTree(source: string, target: string): Promise<void> {
  await new TreeCopy().copyContent(source, target)
  // The source may be named by a descriptor, as a link in /proc: the directory itself is meant.
  const itself = `${source}/.`
  copyAttributes(itself, target, lstatSync(itself, { bigint: true }))
}

class TreeCopy {
  /** First copy of each file that has several names, by device and inode. */
  readonly #linked = new Map<string, string>()
  readonly #slice = new TimeSlice()

  async copyContent(source: string, target: string): Promise<void> {
    for (const name of readdirSync(source)) {
      await this.#copyEntry(join(source, name), join(target, name))
      if (this.#slice.isOver) await this.#slice.renew()
    }
  }

  async #copyEntry(source: string, target: string): Promise<void> {
    const stats = lstatSync(source, { bigint: true })
    if (!stats.isDirectory() && stats.nlink > 1n) {
      const key = `${stats.dev}:${stats.ino}`
      const first = this.#linked.get(key)
      if (first !== undefined) {
        linkSync(first, target)
        return
      }
      this.#linked.set(key, target)
    }
    if (stats.isDirectory()) {
      mkdirSync(target)
      await this.copyContent(source, target)
    } else if (stats.isSymbolicLink()) symlinkSync(readlinkSync(source, 'buffer'), target)
    else if (stats.isFile()) await copyData(source, target, stats)
    else makeNode(target, stats)
    copyAttributes(source, target, stats)
  }
}

async function copyData(source: string, target: string, stats: BigIntStats): Promise<void> {
  const flags = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE
  if (stats.size < largeBytes) copyFileSync(source, target, flags)
  else await copyFile(source, target, flags)
}

function makeNode(target: string, stats: BigIntStats): void {
  const device = Number(stats.rdev)
  const major = (device >>> 8) & 0xfff
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00)
  mknodAt(noDirectory, target, Number(stats.mode), major, minor)
}

/** Gives `target` the owner, mode, times and attributes of `source`, whose status is `stats`.
 *  Order matters: a change of owner clears set-id bits and capabilities, everything else changes times. */
export function copyAttributes(source: string, target: string, stats: BigIntStats): void {
  lchownSync(target, Number(stats.uid), Number(stats.gid))
  if (!stats.isSymbolicLink()) chmodSync(target, Number(stats.mode & modeMask))
  for (const name of listXattrs(source)) {
    if (isForeignXattr(name)) continue
    const value = getXattr(source, name)
    if (value !== undefined) setXattr(target, name, value)
  }
  utimesAt(noDirectory, target, stats.atimeNs, stats.mtimeNs)
}
