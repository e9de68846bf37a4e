/** Turns lines of the log file into what a client gets: the text, with its time in front on request. A line only gets
 *  shorter, so the text is moved towards the start of the buffer that it was read into. Many lines of a stream leave as
 *  one chunk, and no memory is allocated per line. */
import type { OutputStream } from '../base/index.ts'
import { headerBytes, parseHeader, parseTimeNs } from './log-line.ts'

/** Which lines are shown, and with what. */
export interface LogSelection {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly timestamps: boolean
  /** Text between the time and the text of a line: its attributes, as Docker writes them, and a space. */
  readonly details?: string | undefined
  /** The log ends at the first line later than this. */
  readonly untilNs?: bigint | undefined
}

/** A chunk of output, in order. */
export interface LogChunk {
  readonly stream: OutputStream
  readonly bytes: Buffer
}

const lineFeed = 0x0a
const space = 0x20
const letterZ = 0x5a
/** Number of characters of the time that are shown: up to the nanoseconds. The zone is always UTC and shown as `Z`. */
const shownTimeBytes = 29
/** Bytes of a line's header that stay free even when its time is shown. */
const spareHeaderBytes = headerBytes - shownTimeBytes - 2
/** Up to this length, copying byte by byte is faster than two calls into native code. */
const shortTextBytes = 96

/** Formats one log from its first wanted line on. Remembers incomplete lines from one buffer to the next. */
export class LogFormatter {
  readonly #selection: LogSelection
  readonly #hasPrefix: boolean
  readonly #details: Buffer
  /** Streams whose last line is incomplete: what follows belongs to the same line and gets no time. */
  readonly #open = { stdout: false, stderr: false }
  #ended = false

  constructor(selection: LogSelection) {
    this.#selection = selection
    this.#details = Buffer.from(selection.details ?? '')
    this.#hasPrefix = selection.timestamps || this.#details.length > 0
  }

  /** True after a line later than `untilNs`. */
  get ended(): boolean {
    return this.#ended
  }

  /** Formats the lines in `[0, end)` of the buffer, which end with a line feed. The chunks are parts of the buffer, or
   *  of a copy when attributes need more room than the header leaves. */
  format(given: Buffer, givenEnd: number): LogChunk[] {
    const { bytes, end } = this.#withRoom(given, givenEnd)
    const chunks: LogChunk[] = []
    let stream: OutputStream = 'stdout'
    let runStart = 0
    let out = 0
    for (let start = 0; start < end; ) {
      const header = parseHeader(bytes, start, end)
      if (header === undefined || !this.#selection[header.stream]) {
        start = bytes.indexOf(lineFeed, header === undefined ? start : start + headerBytes) + 1
        continue
      }
      if (this.#isPastEnd(bytes, start)) break
      if (header.stream !== stream) {
        if (out > runStart) chunks.push({ stream, bytes: bytes.subarray(runStart, out) })
        stream = header.stream
        runStart = out
      }
      if (this.#hasPrefix && !this.#open[stream]) out = this.#prefix(bytes, start, out)
      this.#open[stream] = header.partial
      const from = start + headerBytes
      const feed = moveText(bytes, from, out)
      out += feed - from
      if (!header.partial) bytes[out++] = lineFeed
      start = feed + 1
    }
    if (out > runStart) chunks.push({ stream, bytes: bytes.subarray(runStart, out) })
    return chunks
  }

  /** Writes the prefix of a line's text; returns the place of the text. */
  #prefix(bytes: Buffer, start: number, out: number): number {
    const at = this.#selection.timestamps ? moveTime(bytes, start, out) : out
    this.#details.copy(bytes, at)
    return at + this.#details.length
  }

  /** Makes room for attributes in front of each text, because they make lines longer than in the file. */
  #withRoom(bytes: Buffer, end: number): { readonly bytes: Buffer; readonly end: number } {
    if (this.#details.length <= spareHeaderBytes) return { bytes, end }
    const room = Buffer.from(`${' '.repeat(this.#details.length)}\n`)
    const parts: Buffer[] = []
    for (let start = 0; start < end; ) {
      const header = parseHeader(bytes, start, end)
      const from = header === undefined ? start : start + headerBytes
      const feed = bytes.indexOf(lineFeed, from)
      // The room is not a line and is skipped.
      parts.push(room, bytes.subarray(start, feed + 1))
      start = feed + 1
    }
    const roomy = Buffer.concat(parts)
    return { bytes: roomy, end: roomy.length }
  }

  #isPastEnd(bytes: Buffer, start: number): boolean {
    const { untilNs } = this.#selection
    if (untilNs === undefined) return false
    const time = parseTimeNs(bytes, start)
    if (time === undefined || time <= untilNs) return false
    this.#ended = true
    return true
  }
}

/** Moves the line's time to `out`; returns the place of the text. */
function moveTime(bytes: Buffer, start: number, out: number): number {
  bytes.copyWithin(out, start, start + shownTimeBytes)
  bytes[out + shownTimeBytes] = letterZ
  bytes[out + shownTimeBytes + 1] = space
  return out + shownTimeBytes + 2
}

/** Moves the text that begins at `from` to `out`; returns the place of the line feed after it. */
function moveText(bytes: Buffer, from: number, out: number): number {
  const shortEnd = from + shortTextBytes
  let at = from
  let to = out
  for (; at < shortEnd; at++) {
    const byte = bytes[at] ?? lineFeed
    if (byte === lineFeed) return at
    bytes[to++] = byte
  }
  const feed = bytes.indexOf(lineFeed, at)
  bytes.copyWithin(to, at, feed)
  return feed
}
