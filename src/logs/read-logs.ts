/** Reads a container's log for a client: its end, a span of time, or all of it as it grows. */
import { dirname } from 'node:path'
import type { OutputSink } from '../base/index.ts'
import { ChangeSignal } from './change-signal.ts'
import { inodeOf, type OpenLogFile, openLogFiles } from './log-files.ts'
import { type LogChunk, LogFormatter } from './log-formatter.ts'
import { endOfLines, seekTail, seekTime } from './log-seek.ts'

/** Which lines to read, and in what form. */
export interface ReadLogsOptions {
  readonly stdout: boolean
  readonly stderr: boolean
  /** Only lines at or after this time (nanoseconds since the epoch). */
  readonly sinceNs?: bigint | undefined
  /** Only lines up to this time (nanoseconds since the epoch). */
  readonly untilNs?: bigint | undefined
  /** Only this number of last lines, of both streams together. Default: all. */
  readonly tail?: number | undefined
  /** Continue with later lines, until `ended`. */
  readonly follow?: boolean | undefined
  /** Begin each line with its time. */
  readonly timestamps?: boolean | undefined
  /** Begin each line's text with this: its attributes and a space. */
  readonly details?: string | undefined
}

/** What ends a read early. */
export interface ReadLogsEnd {
  /** Fires when the client is gone. */
  readonly signal?: AbortSignal | undefined
  /** With `follow`: resolves when nothing more will be written; the rest is still read. */
  readonly ended?: Promise<unknown> | undefined
}

const chunkBytes = 256 * 1024
/** Output smaller than this is copied, so that the buffer can be reused. */
const copyBelowBytes = 16 * 1024
const lineFeed = 0x0a

/** Writes the log at `path` to the sink. Resolves when everything was written or `signal` fired; never ends the sink. A
 *  missing log is empty. */
export async function readLogs(
  path: string,
  options: ReadLogsOptions,
  sink: OutputSink,
  end: ReadLogsEnd = {},
): Promise<void> {
  const reader = new LogReader(path, options, sink, end)
  try {
    await reader.readAll()
    if (options.follow === true) await reader.follow()
  } finally {
    await reader.close()
  }
}

class LogReader {
  readonly #path: string
  readonly #options: ReadLogsOptions
  readonly #sink: OutputSink
  readonly #end: ReadLogsEnd
  readonly #formatter: LogFormatter
  #files: OpenLogFile[] = []
  /** Number of bytes of the newest file that were processed. */
  #offset = 0
  #buffer = Buffer.allocUnsafeSlow(chunkBytes)
  #resume: (() => void) | undefined
  #gone = false

  constructor(path: string, options: ReadLogsOptions, sink: OutputSink, end: ReadLogsEnd) {
    this.#path = path
    this.#options = options
    this.#sink = sink
    this.#end = end
    this.#formatter = new LogFormatter({ ...options, timestamps: options.timestamps === true })
    sink.onDrain(() => this.#resume?.())
    sink.onClose(() => this.#leave())
    end.signal?.addEventListener('abort', () => this.#leave(), { once: true })
    if (end.signal?.aborted === true) this.#leave()
  }

  /** Reads everything that is there now. Without `follow`, it ignores what is written meanwhile: otherwise `tail` would
   *  give more lines than requested, and a fast log would never end. */
  async readAll(): Promise<void> {
    const files = await openLogFiles(this.#path)
    this.#files = await Promise.all(files.map(async (file) => ({ ...file, size: await endOfLines(file) })))
    const starts = await this.#startOffsets()
    for (const [index, file] of this.#files.entries()) {
      this.#offset = starts[index] ?? 0
      await this.#readToEnd(file, this.#options.follow === true ? Number.POSITIVE_INFINITY : file.size)
    }
  }

  /** Reads what is written from now on. */
  async follow(): Promise<void> {
    const changes = new ChangeSignal(dirname(this.#path))
    let over = false
    const finish = () => {
      over = true
      changes.notify()
    }
    void this.#end.ended?.then(finish, finish)
    this.#end.signal?.addEventListener('abort', finish, { once: true })
    this.#sink.onClose(finish)
    const timer = this.#untilTimer(finish)
    try {
      while (!this.#isDone()) {
        // Checked before reading: this round sees everything that was written until now.
        const last = over
        await this.#readNew()
        if (last) return
        await changes.next()
      }
    } finally {
      clearTimeout(timer)
      changes.close()
    }
  }

  async close(): Promise<void> {
    for (const { file } of this.#files) await file.close()
  }

  #leave(): void {
    this.#gone = true
    this.#resume?.()
  }

  #isDone(): boolean {
    return this.#gone || this.#formatter.ended
  }

  /** The offset at which reading begins, for each file. */
  async #startOffsets(): Promise<number[]> {
    const { sinceNs, tail } = this.#options
    const starts = this.#files.map(() => 0)
    let wanted = tail ?? Number.POSITIVE_INFINITY
    for (const [index, { file, size }] of [...this.#files.entries()].reverse()) {
      if (wanted !== Number.POSITIVE_INFINITY) {
        const found = await seekTail(file, size, wanted)
        starts[index] = found.offset
        wanted -= found.lines
      }
      if (sinceNs !== undefined) starts[index] = Math.max(starts[index] ?? 0, await seekTime(file, size, sinceNs))
    }
    return starts
  }

  /** Reads the rest of the newest file, and all files that replaced it meanwhile. With a slow client these may be
   *  several. */
  async #readNew(): Promise<void> {
    for (;;) {
      const newest = this.#files.at(-1)
      if (newest !== undefined) await this.#readToEnd(newest)
      if (this.#isDone() || (newest !== undefined && inodeOf(this.#path) === newest.inode)) return
      const newer = await openLogFiles(this.#path, newest)
      if (newer.length === 0) return
      const files = newest === undefined ? newer : [newest, ...newer]
      this.#files = [...this.#files.slice(0, -1), ...files]
      // The writer left all files but the last one, so the others are complete.
      for (const { file } of files.slice(0, -1)) {
        await this.#readToEnd({ file })
        await file.close()
        this.#offset = 0
      }
      this.#files = [...this.#files.slice(0, -files.length), ...files.slice(-1)]
    }
  }

  async #readToEnd({ file }: Pick<OpenLogFile, 'file'>, limit = Number.POSITIVE_INFINITY): Promise<void> {
    while (!this.#isDone() && this.#offset < limit) {
      const buffer = this.#buffer
      const wanted = Math.min(chunkBytes, limit - this.#offset)
      const { bytesRead } = await file.read(buffer, 0, wanted, this.#offset)
      const end = bytesRead === 0 ? 0 : buffer.lastIndexOf(lineFeed, bytesRead - 1) + 1
      // An incomplete line is read again. One longer than any of conmon's is not a line.
      this.#offset += end === 0 && bytesRead === chunkBytes ? bytesRead : end
      await this.#hand(this.#formatter.format(buffer, end))
      if (bytesRead < chunkBytes) return
    }
  }

  async #hand(chunks: readonly LogChunk[]): Promise<void> {
    const small = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0) < copyBelowBytes
    if (!small) this.#buffer = Buffer.allocUnsafeSlow(chunkBytes)
    for (const { stream, bytes } of chunks) {
      if (this.#gone) return
      if (!this.#sink.write(stream, small ? Buffer.from(bytes) : bytes)) await this.#drained()
    }
  }

  async #drained(): Promise<void> {
    if (this.#gone) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#resume = resolve
    await promise
    this.#resume = undefined
  }

  #untilTimer(finish: () => void): NodeJS.Timeout | undefined {
    const { untilNs } = this.#options
    if (untilNs === undefined) return undefined
    const ms = Number(untilNs / 1_000_000n) - Date.now()
    const maxTimerMs = 2 ** 31 - 1
    return setTimeout(finish, Math.max(0, Math.min(ms, maxTimerMs)))
  }
}
