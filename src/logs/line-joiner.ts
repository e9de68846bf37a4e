/** Joins the parts of lines. The log has a part for each read of the monitor. Drivers get whole lines, and of lines
 *  longer than 16 KiB parts of up to 16 KiB, as in Docker.
 *  The position of a record is the beginning of the earliest incomplete line. A reader that starts there misses
 *  nothing, but may deliver complete lines of the other stream twice. */
import { randomBytes } from 'node:crypto'
import type { OutputStream } from '../base/index.ts'
import type { LogPosition, LogRecord } from './drivers/log-record.ts'

/** Docker's limit for the text of one message. */
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
  /** The id of the line's parts, once one was passed on. */
  id: string | undefined
  ordinal: number
}

/** Joins the lines of one log. */
export class LineJoiner {
  readonly #open = new Map<OutputStream, OpenLine>()

  /** Adds a line of the file. Returns what it completes: nothing, a line, or a part of a long line. */
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

  /** Returns the incomplete lines, after the writer ended. `end` is the end of the log. */
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

  /** The beginning of the other stream's incomplete line, if there is one, because it is earlier; else `end`. */
  #position(end: LogPosition): LogPosition {
    const [other] = this.#open.values()
    return other?.start ?? end
  }
}
