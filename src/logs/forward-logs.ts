/** Delivers a container's log to a driver. The log file is the buffer: the monitor writes it even when the server takes
 *  no lines, so a container never waits. The position of the last delivered line is kept in a file, from which a
 *  restarted daemon continues. No line is left out. Lines that were sent, but whose delivery was not recorded yet, may
 *  arrive twice. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Logger, messageOf, nowNs, settlesWithin } from '../base/index.ts'
import type { LogDriver, RetryPace } from './drivers/log-driver.ts'
import type { LogPosition, LogRecord } from './drivers/log-record.ts'
import { LineJoiner } from './line-joiner.ts'
import type { PositionFile } from './log-position.ts'
import { tailLog } from './log-tail.ts'
import { RecordQueue } from './record-queue.ts'

/** What to deliver, and where to. */
export interface ForwardOptions {
  readonly path: string
  readonly position: PositionFile
  /** Connects to the server. Called again after a failure. */
  readonly open: () => Promise<LogDriver>
  /** A connection that exists already. */
  readonly driver: LogDriver | undefined
  readonly pace: RetryPace
  /** Limit in bytes for mode non-blocking: when more lines wait for the server, new ones are dropped. Undefined: lines
   *  are never dropped. */
  readonly maxBufferBytes: number | undefined
  /** Number of bytes that are read ahead. Default: 256 KiB. */
  readonly readAheadBytes: number | undefined
  readonly logger: Logger
}

const defaultReadAheadBytes = 256 * 1024
const abandonPatienceMs = 500
/** Size of a batch that is confirmed at once: at most this much arrives twice after a crash. */
const maxBatchBytes = 64 * 1024

/** Delivers the log of one container. */
export class LogForwarder {
  readonly #options: ForwardOptions
  readonly #abort = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  readonly #queue: RecordQueue
  #driver: LogDriver | undefined
  #failures = 0
  /** Resolves after `finish` when everything was delivered, or after `abandon`. */
  readonly done: Promise<void>

  private constructor(options: ForwardOptions) {
    this.#options = options
    this.#driver = options.driver
    this.#queue = new RecordQueue(options.readAheadBytes ?? defaultReadAheadBytes, options.maxBufferBytes)
    this.done = this.#run()
  }

  /** Starts the delivery at the recorded position. */
  static start(options: ForwardOptions): LogForwarder {
    return new LogForwarder(options)
  }

  /** True while the server takes no lines. */
  get isStuck(): boolean {
    return this.#failures > 0
  }

  /** Called when nothing more will be written: delivers the rest, then closes the connection. */
  finish(): void {
    this.#ended.resolve()
  }

  /** Stops at once; the recorded position tells how far the delivery came. Does not wait for a connection that is being
   *  made: that one is closed when it is ready, and nothing is sent on it. */
  async abandon(): Promise<void> {
    this.#abort.abort()
    this.#queue.close()
    // This makes the present `send` fail.
    await this.#closeDriver()
    await settlesWithin(this.done, abandonPatienceMs)
  }

  async #run(): Promise<void> {
    const { logger, position } = this.#options
    try {
      await Promise.all([this.#read(), this.#deliver()])
    } catch (error) {
      if (!this.#abort.signal.aborted) logger.error('log is not forwarded any more', { error: messageOf(error) })
    } finally {
      this.#abort.abort()
      this.#queue.close()
      position.close()
      await this.#closeDriver()
    }
  }

  async #read(): Promise<void> {
    const { path, position, logger } = this.#options
    const joiner = new LineJoiner()
    const startedNs = nowNs()
    let end: LogPosition | undefined
    const signal = this.#abort.signal
    const onLost = () => logger.warn('log lines were rotated away before the log server took them')
    for await (const lines of tailLog({ path, from: position.read(), ended: this.#ended.promise, signal, onLost })) {
      for (const line of lines) for (const record of joiner.push(line)) this.#queue.push(record)
      end = lines.at(-1)?.end ?? end
      // Lines from before the start are never dropped, because nothing could take them then.
      await this.#queue.room((lines.at(-1)?.timeNs ?? 0n) < startedNs)
    }
    if (end !== undefined) for (const record of joiner.flush(end)) this.#queue.push(record)
    this.#queue.end()
  }

  async #deliver(): Promise<void> {
    for (;;) {
      const records = await this.#queue.take(maxBatchBytes)
      const last = records.at(-1)
      if (last === undefined || this.#abort.signal.aborted) return
      if (!(await this.#send(records))) return
      this.#options.position.write(last.position)
      this.#queue.delivered(records)
      this.#reportDropped()
    }
  }

  /** Sends a batch until it is delivered; false when the delivery was abandoned. */
  async #send(records: readonly LogRecord[]): Promise<boolean> {
    const { logger } = this.#options
    for (;;) {
      try {
        this.#driver ??= await this.#options.open()
        if (this.#abort.signal.aborted) return false
        await this.#driver.send(records)
        if (this.#failures > 0) logger.info('log server takes lines again')
        this.#failures = 0
        return true
      } catch (error) {
        if (this.#failures === 0) logger.warn('log server does not take lines', { error: messageOf(error) })
        this.#failures += 1
        await this.#closeDriver()
        if (!(await this.#pause())) return false
      }
    }
  }

  async #pause(): Promise<boolean> {
    const { firstMs, maxMs, maxRetries } = this.#options.pace
    const ms = this.#failures > maxRetries ? maxMs : Math.min(maxMs, firstMs * 2 ** Math.min(20, this.#failures - 1))
    try {
      await sleep(ms, undefined, { signal: this.#abort.signal, ref: false })
      return true
    } catch {
      return false
    }
  }

  async #closeDriver(): Promise<void> {
    const driver = this.#driver
    this.#driver = undefined
    await driver?.close()
  }

  #reportDropped(): void {
    const dropped = this.#queue.takeDropped()
    if (dropped > 0) this.#options.logger.warn('log lines were dropped: buffer is full', { lines: dropped })
  }
}
