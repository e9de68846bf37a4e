/** The files of one log. `path` is being written; `path.1`, `path.2`, … are older, the highest number the oldest. Older
 *  files may be compressed with gzip (`path.2.gz`). A reader gets them decompressed in an unnamed file. */
import { constants, createReadStream, createWriteStream, existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { errnoOf } from '../base/index.ts'

/** An open file of a log. */
export interface OpenLogFile {
  readonly file: FileHandle
  readonly inode: number
  readonly size: number
  /** The file was compressed; the inode is that of the compressed file. */
  readonly packed?: boolean
}

/** Opens all files of a log, the oldest first; with `after`, only those that were begun after that one. */
export async function openLogFiles(path: string, after?: OpenLogFile): Promise<OpenLogFile[]> {
  for (;;) {
    const before = inodeOf(path)
    const files = await openNumbered(path, after)
    // During a rotation a number may be unused. A rotation is complete when this runs, and leaves another current
    // file.
    if (inodeOf(path) === before) return files.reverse()
    for (const { file } of files) await file.close()
  }
}

/** The files from the newest back to the one before `after`. */
async function openNumbered(path: string, after: OpenLogFile | undefined): Promise<OpenLogFile[]> {
  const files: OpenLogFile[] = []
  for (let number = 0; ; number++) {
    const opened = await openLogFile(rotatedPath(path, number))
    if (opened === undefined) {
      // The current file may be missing for a moment, between rename and reopen.
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

/** Long enough for the time of a line. */
const beginningBytes = 64

async function isSameLog(candidate: OpenLogFile, known: OpenLogFile): Promise<boolean> {
  if (candidate.packed !== true) return candidate.inode === known.inode
  // The compressed file is another one, but has the same beginning.
  const [a, b] = await Promise.all([candidate, known].map(({ file }) => beginningOf(file)))
  return a !== undefined && b !== undefined && a.length > 0 && a.equals(b)
}

async function beginningOf(file: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(beginningBytes), 0, beginningBytes, 0)
  return buffer.subarray(0, bytesRead)
}

/** The inode of a file; undefined when there is no such file. */
export function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}

/** Opens one file of a log; undefined when there is no such file. */
async function openLogFile(path: string): Promise<OpenLogFile | undefined> {
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

/** O_TMPFILE, which Node does not define: an unnamed file, which is gone when it is closed. */
const oTmpfile = 0o20000000 | constants.O_DIRECTORY

async function openPacked(path: string): Promise<OpenLogFile | undefined> {
  const packed = await openIfThere(path)
  if (packed === undefined) return undefined
  const { ino } = await packed.stat()
  const file = await open(dirname(path), constants.O_RDWR | oTmpfile, 0o600)
  try {
    // Written by hand: a write stream that does not close its file would keep it from ever being closed.
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

/** Compresses the files that are not written any more. `isNeeded` tells by the inode which file must stay as it is.
 *  Call it only while no rotation runs. After a crash midway, the next call repeats the work. */
export async function packOldLogs(path: string, isNeeded: (inode: number) => boolean): Promise<void> {
  // As long as there is no new file, the writer still uses the renamed one.
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

/** Starts a new log file and keeps `maxFiles` in total, at least the new one. `reopen` makes the writer open `path`
 *  again; until then it writes to the renamed file, so no line is lost. */
export function rotateLog(path: string, { maxFiles, reopen }: { maxFiles: number; reopen: () => void }): void {
  if (!existsSync(path)) return
  const kept = Math.max(1, maxFiles) - 1
  for (const ending of ['', '.gz']) rmSync(`${rotatedPath(path, Math.max(1, kept))}${ending}`, { force: true })
  for (let number = kept - 1; number >= 1; number--) {
    for (const ending of ['', '.gz']) {
      renameIfThere(`${rotatedPath(path, number)}${ending}`, `${rotatedPath(path, number + 1)}${ending}`)
    }
  }
  // Even the only file of a log is renamed, because its last lines may still be written.
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
