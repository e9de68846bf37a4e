/** Follows a container's log from a position on, across rotations, and yields its lines in batches.
 *  Invariant: a line is yielded after all lines before it; an incomplete line is read again. */
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { ChangeSignal } from './change-signal.ts'
import type { LogPosition } from './drivers/log-record.ts'
import type { RawLine } from './line-joiner.ts'
import { type OpenLogFile, openLogFiles } from './log-files.ts'
import { headBytes, headerBytes, parseHeader, parseTimeNs } from './log-line.ts'

const chunkBytes = 128 * 1024
const lineFeed = 0x0a

/** What to follow, and from where. */
export interface LogTailOptions {
  readonly path: string
  /** Position to begin at; undefined for the log's start. */
  readonly from: LogPosition | undefined
  /** Resolves when nothing more will be written; the rest is still yielded. */
  readonly ended: Promise<unknown>
  /** Ends at once when it fires. */
  readonly signal: AbortSignal
  /** Called when the file of the position is gone: its lines are lost. */
  onLost(): void
}

/** The lines of the log, as they are written. Ends after `ended`, or when the signal fires. */
export async function* tailLog(options: LogTailOptions): AsyncGenerator<RawLine[], void, undefined> {
  const { path, signal } = options
  const changes = new ChangeSignal(dirname(path))
  let over = false
  void options.ended.finally(() => {
    over = true
    changes.notify()
  })
  const abort = () => changes.notify()
  signal.addEventListener('abort', abort)
  let file: TailedFile | undefined
  try {
    file = await firstFile(options)
    while (!signal.aborted) {
      // Checked before reading: this round sees everything that was written until now.
      const last = over
      const current = statSync(path, { throwIfNoEntry: false })?.ino
      if (file !== undefined) yield* file.lines(signal)
      if (current !== undefined && current !== file?.inode) {
        const next: TailedFile | undefined = await nextFile(path, file?.inode)
        if (next !== undefined) {
          await file?.close()
          file = next
          continue
        }
      }
      if (last) return
      await changes.next()
    }
  } finally {
    signal.removeEventListener('abort', abort)
    changes.close()
    await file?.close()
  }
}

/** The file of the position, or the oldest one. */
async function firstFile({ path, from, onLost }: LogTailOptions): Promise<TailedFile | undefined> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined
  const files = await openLogFiles(path)
  let chosen = 0
  let offset = 0
  if (from !== undefined) {
    const heads = await Promise.all(files.map(readHead))
    const found = files.findIndex(({ inode }, index) => inode === from.inode && heads[index] === from.head)
    if (found >= 0) [chosen, offset] = [found, from.offset]
    else onLost()
  }
  return take(files, chosen, offset)
}

/** The file after the given one; undefined when it is not known yet. */
async function nextFile(path: string, inode: number | undefined): Promise<TailedFile | undefined> {
  const files = await openLogFiles(path)
  const before = files.findIndex((file) => file.inode === inode)
  return take(files, before + 1, 0)
}

async function take(files: readonly OpenLogFile[], chosen: number, offset: number): Promise<TailedFile | undefined> {
  await Promise.all(files.map(({ file }, index) => (index === chosen ? undefined : file.close())))
  const found = files[chosen]
  return found === undefined ? undefined : new TailedFile(found, offset)
}

async function readHead({ file }: OpenLogFile): Promise<string> {
  const bytes = Buffer.alloc(headBytes)
  const { bytesRead } = await file.read(bytes, 0, headBytes, 0)
  return bytes.toString('latin1', 0, bytesRead)
}

class TailedFile {
  readonly inode: number
  readonly #file: OpenLogFile
  #offset: number
  #head: string | undefined

  constructor(file: OpenLogFile, offset: number) {
    this.inode = file.inode
    this.#file = file
    this.#offset = offset
  }

  /** The lines up to the present end of the file. */
  async *lines(signal: AbortSignal): AsyncGenerator<RawLine[], void, undefined> {
    while (!signal.aborted) {
      // Yielded lines are parts of the buffer, so each round needs a new one.
      const buffer = Buffer.allocUnsafe(chunkBytes)
      const { bytesRead } = await this.#file.file.read(buffer, 0, chunkBytes, this.#offset)
      const end = bytesRead === 0 ? 0 : buffer.lastIndexOf(lineFeed, bytesRead - 1) + 1
      if (end > 0) {
        this.#head ??= await readHead(this.#file)
        yield this.#parse(buffer, end)
      }
      // Longer than any line of the monitor: this is not a log.
      this.#offset += end === 0 && bytesRead === chunkBytes ? bytesRead : end
      if (bytesRead < chunkBytes) return
    }
  }

  async close(): Promise<void> {
    await this.#file.file.close()
  }

  #parse(buffer: Buffer, end: number): RawLine[] {
    const lines: RawLine[] = []
    for (let start = 0; start < end; ) {
      const header = parseHeader(buffer, start, end)
      const feed = buffer.indexOf(lineFeed, header === undefined ? start : start + headerBytes)
      const timeNs = header === undefined ? undefined : parseTimeNs(buffer, start)
      if (header !== undefined && timeNs !== undefined) {
        lines.push({
          ...header,
          timeNs,
          text: buffer.subarray(start + headerBytes, feed),
          start: this.#position(start),
          end: this.#position(feed + 1),
        })
      }
      start = feed + 1
    }
    return lines
  }

  #position(at: number): LogPosition {
    return { inode: this.inode, head: this.#head ?? '', offset: this.#offset + at }
  }
}
