/** The files of one log: `path` is being written, `path.1`, `path.2`, … were, the higher the older. Those may be packed
 *  with gzip (`path.2.gz`); they are unpacked into a file without a name for whoever reads them. */
import { constants, createReadStream, createWriteStream, existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { errnoOf } from '../base/index.ts'

export interface OpenLogFile {
  readonly file: FileHandle
  readonly inode: number
  readonly size: number
  /** It was packed: the inode is that of the packed file. */
  readonly packed?: boolean
}

/** Opens all files of a log, oldest first; with `after` only those that were begun after that one. */
export async function openLogFiles(path: string, after?: OpenLogFile): Promise<OpenLogFile[]> {
  for (;;) {
    const before = inodeOf(path)
    const files = await openNumbered(path, after)
    // While a log is rotated a number may be nobody's; rotations are over when this runs, and leave another file.
    if (inodeOf(path) === before) return files.reverse()
    for (const { file } of files) await file.close()
  }
}

/** The files from the newest one back to the one before `after`. */
async function openNumbered(path: string, after: OpenLogFile | undefined): Promise<OpenLogFile[]> {
  const files: OpenLogFile[] = []
  for (let number = 0; ; number++) {
    const opened = await openLogFile(rotatedPath(path, number))
    if (opened === undefined) {
      // The current file may be missing for a moment, between its renaming and its reopening.
      if (number === 0) continue
      return files
    }
    if (after !== undefined && (await isSameLog(opened, after))) {
      await opened.file.close()
      return files
    }
    files.push(opened)
  }
}

/** Enough for a line's time. */
const beginningBytes = 64

async function isSameLog(candidate: OpenLogFile, known: OpenLogFile): Promise<boolean> {
  if (candidate.packed !== true) return candidate.inode === known.inode
  // Packing makes another file of it, which begins the same.
  const [a, b] = await Promise.all([candidate, known].map(({ file }) => beginningOf(file)))
  return a !== undefined && b !== undefined && a.length > 0 && a.equals(b)
}

async function beginningOf(file: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(beginningBytes), 0, beginningBytes, 0)
  return buffer.subarray(0, bytesRead)
}

/** The inode of a file; undefined when it is not there. */
export function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}

/** Opens one file of a log, or undefined when it is not there. */
export async function openLogFile(path: string): Promise<OpenLogFile | undefined> {
  const file = await openIfThere(path)
  if (file === undefined) return openPacked(`${path}.gz`)
  const { ino, size } = await file.stat()
  return { file, inode: ino, size }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Not in Node's constants: a file that no name leads to, gone when it is closed. */
const oTmpfile = 0o20000000 | constants.O_DIRECTORY

async function openPacked(path: string): Promise<OpenLogFile | undefined> {
  const packed = await openIfThere(path)
  if (packed === undefined) return undefined
  const { ino } = await packed.stat()
  const file = await open(dirname(path), constants.O_RDWR | oTmpfile, 0o600)
  try {
    // By hand: a write stream that leaves the file open would keep it from ever being closed.
    const write = async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) await file.write(chunk)
    }
    await pipeline(packed.createReadStream(), createGunzip(), write)
    return { file, inode: ino, size: (await file.stat()).size, packed: true }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Packs the files that nobody writes any more; `isNeeded` tells of one, by its inode, that it has to stay as it is.
 *  Call it only while no rotation is under way. Killed midway: the next call does it again. */
export async function packOldLogs(path: string, isNeeded: (inode: number) => boolean): Promise<void> {
  // While there is no new file, the writer is still in the renamed one.
  if (!existsSync(path)) return
  for (let number = 1; ; number++) {
    const old = rotatedPath(path, number)
    const inode = inodeOf(old)
    if (inode === undefined) {
      if (!existsSync(`${old}.gz`)) return
      continue
    }
    if (isNeeded(inode)) continue
    await pipeline(createReadStream(old), createGzip(), createWriteStream(`${old}.gz.new`, { mode: 0o600 }))
    renameSync(`${old}.gz.new`, `${old}.gz`)
    rmSync(old)
  }
}

/** Starts a new log file, keeping `maxFiles` in all (at least this one). `reopen` makes the writer open `path`
 *  anew; until it has, it goes on in the renamed file, so no line is lost. */
export function rotateLog(path: string, { maxFiles, reopen }: { maxFiles: number; reopen: () => void }): void {
  if (!existsSync(path)) return
  const kept = Math.max(1, maxFiles) - 1
  for (const ending of ['', '.gz']) rmSync(`${rotatedPath(path, Math.max(1, kept))}${ending}`, { force: true })
  for (let number = kept - 1; number >= 1; number--) {
    for (const ending of ['', '.gz']) {
      renameIfThere(`${rotatedPath(path, number)}${ending}`, `${rotatedPath(path, number + 1)}${ending}`)
    }
  }
  // Even a log of a single file is renamed: its last lines may still be on their way.
  renameSync(path, rotatedPath(path, 1))
  reopen()
}

function rotatedPath(path: string, number: number): string {
  return number === 0 ? path : `${path}.${number}`
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
