/** The lines that were read from a log and are not delivered yet. Without a limit, the reader waits for room. With a
 *  limit (mode non-blocking), new lines that do not fit are dropped, as in Docker. */
import type { LogRecord } from './drivers/log-record.ts'

/** Estimated memory of a record besides its text, so that empty lines count too. */
const recordOverheadBytes = 128

/** The queue between the reader of a log and its driver. */
export class RecordQueue {
  readonly #readAheadBytes: number
  readonly #maxBytes: number | undefined
  #records: LogRecord[] = []
  /** Bytes of all undelivered records, taken or not. */
  #bytes = 0
  #dropped = 0
  #ended = false
  #closed = false
  #wakeReader: (() => void) | undefined
  #wakeWriter: (() => void) | undefined
  /** True while the limit is off. */
  #unlimited = true

  constructor(readAheadBytes: number, maxBytes: number | undefined) {
    this.#readAheadBytes = readAheadBytes
    this.#maxBytes = maxBytes
  }

  push(record: LogRecord): void {
    const limit = this.#unlimited ? undefined : this.#maxBytes
    // A record larger than the limit itself is accepted when nothing else waits.
    if (limit !== undefined && this.#bytes > 0 && this.#bytes + record.text.length > limit) {
      this.#dropped += 1
      return
    }
    this.#records.push(record)
    this.#bytes += record.text.length
    this.#wakeReader?.()
  }

  /** Resolves when there is room to read more. `catchingUp` turns the limit off until the next call. */
  async room(catchingUp: boolean): Promise<void> {
    if (!catchingUp) this.#unlimited = false
    while (!this.#closed && this.#bytes > this.#readAheadBytes && (this.#unlimited || this.#maxBytes === undefined)) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve
      })
    }
  }

  /** Ends the queue: nothing more will be pushed. */
  end(): void {
    this.#ended = true
    this.#wakeReader?.()
  }

  /** Closes the queue for both sides. */
  close(): void {
    this.#closed = true
    this.#wakeReader?.()
    this.#wakeWriter?.()
  }

  /** The next records: at least one, then up to `maxBytes`; none when the queue has ended. */
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

  /** Reports the delivery of taken records, which makes room. */
  delivered(records: readonly LogRecord[]): void {
    for (const { text } of records) this.#bytes -= text.length
    this.#wakeWriter?.()
  }

  /** Number of records that were dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }
}
