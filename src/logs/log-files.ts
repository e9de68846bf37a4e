/** The files of one log: `path` is being written, `path.1`, `path.2`, … were, the higher the older. */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { errnoOf } from '../base/index.ts'

export interface OpenLogFile {
  readonly file: FileHandle
  readonly inode: number
  readonly size: number
}

/** Opens all files of a log, oldest first. A rotation meanwhile can make one appear twice: it is opened once. */
export async function openLogFiles(path: string): Promise<OpenLogFile[]> {
  const files: OpenLogFile[] = []
  for (let number = 0; ; number++) {
    const opened = await openLogFile(rotatedPath(path, number))
    if (opened === undefined) {
      // The current file may be missing for a moment, between its renaming and its reopening.
      if (number === 0) continue
      return files.reverse()
    }
    if (files.some(({ inode }) => inode === opened.inode)) await opened.file.close()
    else files.push(opened)
  }
}

/** Opens one file of a log, or undefined when it is not there. */
export async function openLogFile(path: string): Promise<OpenLogFile | undefined> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
  const { ino, size } = await file.stat()
  return { file, inode: ino, size }
}

/** Starts a new log file, keeping `maxFiles` in all (at least this one). `reopen` makes the writer open `path`
 *  anew; until it has, it goes on in the renamed file, so no line is lost. */
export function rotateLog(path: string, { maxFiles, reopen }: { maxFiles: number; reopen: () => void }): void {
  if (!existsSync(path)) return
  const kept = Math.max(1, maxFiles) - 1
  rmSync(rotatedPath(path, Math.max(1, kept)), { force: true })
  for (let number = kept - 1; number >= 1; number--)
    renameIfThere(rotatedPath(path, number), rotatedPath(path, number + 1))
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
