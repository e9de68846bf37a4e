/** Copies the content of a directory, with owners, modes, times, extended attributes, hard links, device nodes and
 *  holes. Never follows a symlink below the two roots. The system calls are synchronous, because an asynchronous one
 *  costs ten times as much for a small file; the event loop gets a pause every few milliseconds. */
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
import { TimeSlice } from '../../base/index.ts'
import { getXattr, isForeignXattr, listXattrs, mknodAt, setXattr, utimesAt } from '../../sys/index.ts'

/** The `*At` calls ignore the descriptor when the path is absolute. */
const noDirectory = -1
const largeBytes = 1024n * 1024n
const modeMask = 0o7777n

/** Copies the content of `source` into the existing directory `target` and gives `target` the owner, mode, times
 *  and attributes of `source`. */
export async function copyTree(source: string, target: string): Promise<void> {
  await new TreeCopy().copyContent(source, target)
  // The source may be given as a link in /proc to a descriptor: follow it to the directory itself.
  const itself = `${source}/.`
  copyAttributes(itself, target, lstatSync(itself, { bigint: true }))
}

class TreeCopy {
  /** The path of the first copy of each file that has several names, by device and inode. */
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
 *  The order matters: a change of owner clears set-id bits and capabilities, and every change except that of the times
 *  changes the times. */
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
