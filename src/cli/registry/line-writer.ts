/** Writes lines to a file descriptor without making the caller wait: lines that arrive during a write go out with
 *  the next one. (With Node's own streams, every request would wait for the reader of a pipe.) */
import { write } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf } from '../../base/index.ts'

/** Above this, lines are dropped: a reader that has stopped must not fill the memory. */
const maxWaitingBytes = 16 * 1024 * 1024
const retryMs = 5

/** Writes to one file descriptor. */
export class LineWriter {
  readonly #fd: number
  #waiting: string[] = []
  #waitingBytes = 0
  #running: Promise<void> | undefined

  constructor(fd: number) {
    this.#fd = fd
  }

  /** Queues a line, which must end with a line feed. */
  write(line: string): void {
    if (this.#waitingBytes > maxWaitingBytes) return
    this.#waiting.push(line)
    this.#waitingBytes += line.length
    this.#running ??= this.#run()
  }

  /** Resolves when all queued lines are written. */
  async flush(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #run(): Promise<void> {
    // Collects the lines of this turn of the event loop.
    await sleep(0)
    while (this.#waiting.length > 0) {
      const bytes = Buffer.from(this.#waiting.join(''))
      this.#waiting = []
      this.#waitingBytes = 0
      await this.#writeAll(bytes)
    }
    this.#running = undefined
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      try {
        written += await this.#writeSome(bytes, written)
      } catch (error) {
        // EAGAIN is a full, non-blocking pipe. Otherwise the reader has gone or the disk is full: the lines are lost.
        if (errnoOf(error) !== 'EAGAIN') return
        await sleep(retryMs)
      }
    }
  }

  #writeSome(bytes: Buffer, offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#fd, bytes, offset, (error, count) => (error === null ? resolve(count) : reject(error)))
    })
  }
}
