/** Delivers a container's log to a driver. The log file is the buffer: the monitor writes it whether the server takes
 *  lines or not, so a container never waits, and the position of what was delivered is kept durably. A daemon that
 *  was killed goes on from there: no line is left out, and at most those come twice that had been sent and were not
 *  noted as delivered yet. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Logger, messageOf, nowNs, settlesWithin } from '../base/index.ts'
import type { LogDriver, RetryPace } from './drivers/log-driver.ts'
import { LineJoiner } from './line-joiner.ts'
import type { PositionFile } from './log-position.ts'
import type { LogPosition, LogRecord } from './log-record.ts'
import { tailLog } from './log-tail.ts'
import { RecordQueue } from './record-queue.ts'

export interface ForwardOptions {
  readonly path: string
  readonly position: PositionFile
  /** Connects to the server. Called again after a failure. */
  readonly open: () => Promise<LogDriver>
  /** A connection that was made already. */
  readonly driver: LogDriver | undefined
  readonly pace: RetryPace
  /** Mode non-blocking: what the server did not take yet is at most this much; lines beyond it are dropped. */
  readonly maxBufferBytes: number | undefined
  /** Held in memory of what is read ahead. Default: 256 KiB. */
  readonly readAheadBytes: number | undefined
  readonly logger: Logger
}

const defaultReadAheadBytes = 256 * 1024
const abandonPatienceMs = 500
/** Confirmed in one piece: what comes twice after a crash is at most this. */
const maxBatchBytes = 64 * 1024

/** One container's log on its way. */
export class LogForwarder {
  readonly #options: ForwardOptions
  readonly #abort = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  readonly #queue: RecordQueue
  #driver: LogDriver | undefined
  #failures = 0
  /** Resolves when everything was delivered after `finish`, or after `abandon`. */
  readonly done: Promise<void>

  private constructor(options: ForwardOptions) {
    this.#options = options
    this.#driver = options.driver
    this.#queue = new RecordQueue(options.readAheadBytes ?? defaultReadAheadBytes, options.maxBufferBytes)
    this.done = this.#run()
  }

  /** Begins at the kept position. */
  static start(options: ForwardOptions): LogForwarder {
    return new LogForwarder(options)
  }

  /** True while the server does not take lines. */
  get isStuck(): boolean {
    return this.#failures > 0
  }

  /** Nothing more will be written: what is there is delivered, then the connection is closed. */
  finish(): void {
    this.#ended.resolve()
  }

  /** Stops where it is; the position says how far it came. A connection that is just being made is not waited for: it
   *  is closed once it stands, and nothing is sent on it. */
  async abandon(): Promise<void> {
    this.#abort.abort()
    this.#queue.close()
    // What is being sent right now fails.
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
      // Lines from before are never dropped: nobody was there to take them.
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

  /** False when it was abandoned. */
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
