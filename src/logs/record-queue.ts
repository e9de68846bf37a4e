/** What was read of a log and is not delivered yet. Without a limit the reader waits for room; with one (mode
 *  non-blocking) what does not fit is dropped, the newest first, as Docker does. */
import type { LogRecord } from './log-record.ts'

/** About what a record takes beside its text, so that empty lines count too. */
const recordOverheadBytes = 128

export class RecordQueue {
  readonly #readAheadBytes: number
  readonly #maxBytes: number | undefined
  #records: LogRecord[] = []
  /** Of all that is not delivered, taken or not. */
  #bytes = 0
  #dropped = 0
  #ended = false
  #closed = false
  #wakeReader: (() => void) | undefined
  #wakeWriter: (() => void) | undefined
  /** The limit does not hold yet. */
  #unlimited = true

  constructor(readAheadBytes: number, maxBytes: number | undefined) {
    this.#readAheadBytes = readAheadBytes
    this.#maxBytes = maxBytes
  }

  push(record: LogRecord): void {
    const limit = this.#unlimited ? undefined : this.#maxBytes
    // One that is larger than the limit itself passes when nothing else waits.
    if (limit !== undefined && this.#bytes > 0 && this.#bytes + record.text.length > limit) {
      this.#dropped += 1
      return
    }
    this.#records.push(record)
    this.#bytes += record.text.length
    this.#wakeReader?.()
  }

  /** Resolves when more may be read. `catchingUp`: the limit holds only from the next call on. */
  async room(catchingUp: boolean): Promise<void> {
    if (!catchingUp) this.#unlimited = false
    while (!this.#closed && this.#bytes > this.#readAheadBytes && (this.#unlimited || this.#maxBytes === undefined)) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve
      })
    }
  }

  /** No more will be pushed. */
  end(): void {
    this.#ended = true
    this.#wakeReader?.()
  }

  /** Nobody takes or pushes any more. */
  close(): void {
    this.#closed = true
    this.#wakeReader?.()
    this.#wakeWriter?.()
  }

  /** The next records, at least one and then up to `maxBytes`; none when it has ended. */
  async take(maxBytes: number): Promise<LogRecord[]> {
    while (this.#records.length === 0 && !this.#ended && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve
      })
    }
    let bytes = 0
    let count = 0
    for (const { text } of this.#records) {
      bytes += text.length + recordOverheadBytes
      if (count > 0 && bytes > maxBytes) break
      count += 1
    }
    return this.#records.splice(0, count)
  }

  /** What was taken has arrived: there is room for more. */
  delivered(records: readonly LogRecord[]): void {
    for (const { text } of records) this.#bytes -= text.length
    this.#wakeWriter?.()
  }

  /** How many were dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }
}
