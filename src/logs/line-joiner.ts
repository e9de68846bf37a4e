/** Puts the parts of lines together again. The log has a part for each read of the monitor; drivers are given whole
 *  lines, and of those longer than 16 KiB parts of up to 16 KiB, as Docker does.
 *  A record's position is that of the earliest line that is not complete: read again from there, nothing is missing,
 *  and what was handed on already of another stream may come twice. */
import { randomBytes } from 'node:crypto'
import type { OutputStream } from '../base/index.ts'
import type { LogPosition, LogRecord } from './log-record.ts'

/** Docker's limit for one message. */
const maxTextBytes = 16 * 1024

/** One line of the log file. */
export interface RawLine {
  readonly stream: OutputStream
  readonly timeNs: bigint
  readonly text: Buffer
  readonly partial: boolean
  readonly start: LogPosition
  readonly end: LogPosition
}

interface OpenLine {
  readonly timeNs: bigint
  readonly start: LogPosition
  texts: Buffer[]
  bytes: number
  /** Set once a part was handed on. */
  id: string | undefined
  ordinal: number
}

export class LineJoiner {
  readonly #open = new Map<OutputStream, OpenLine>()

  /** Gives what is complete with this line: nothing, a line, or a part of a long one. */
  push(line: RawLine): LogRecord[] {
    const records: LogRecord[] = []
    let open = this.#open.get(line.stream)
    if (open !== undefined && open.bytes + line.text.length > maxTextBytes) {
      this.#open.delete(line.stream)
      open.id ??= randomBytes(32).toString('hex')
      records.push(this.#record(line.stream, open, false, line.start))
      open = { ...open, start: line.start, texts: [], bytes: 0, ordinal: open.ordinal + 1 }
    }
    open ??= { timeNs: line.timeNs, start: line.start, texts: [], bytes: 0, id: undefined, ordinal: 1 }
    open.texts.push(line.text)
    open.bytes += line.text.length
    if (line.partial) {
      this.#open.set(line.stream, open)
      return records
    }
    this.#open.delete(line.stream)
    records.push(this.#record(line.stream, open, true, line.end))
    return records
  }

  /** The lines without an end: the writer has gone. `end` is where the log ends. */
  flush(end: LogPosition): LogRecord[] {
    const open = [...this.#open].filter(([, line]) => line.bytes > 0)
    this.#open.clear()
    return open.map(([stream, line]) => this.#record(stream, line, true, end))
  }

  #record(stream: OutputStream, line: OpenLine, last: boolean, end: LogPosition): LogRecord {
    const [text] = line.texts
    return {
      stream,
      timeNs: line.timeNs,
      text: line.texts.length === 1 && text !== undefined ? text : Buffer.concat(line.texts),
      ...(line.id === undefined ? {} : { part: { id: line.id, ordinal: line.ordinal, last } }),
      position: this.#position(end),
    }
  }

  /** Where the other stream's open line begins, if there is one: it is the earlier place. */
  #position(end: LogPosition): LogPosition {
    const [other] = this.#open.values()
    return other?.start ?? end
  }
}
