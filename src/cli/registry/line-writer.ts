/** Writes lines to a file descriptor without making anybody wait: what comes while the last write is under way goes
 *  out with the next one. (Node's own streams wait for the reader of a pipe, and with them every request.) */
import { write } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf } from '../../base/index.ts'

/** More that wait are dropped: a reader that has stopped must not fill the memory. */
const maxWaitingBytes = 16 * 1024 * 1024
const retryMs = 5

export class LineWriter {
  readonly #fd: number
  #waiting: string[] = []
  #waitingBytes = 0
  #running: Promise<void> | undefined

  constructor(fd: number) {
    this.#fd = fd
  }

  /** Writes a line, which ends with a line feed, soon. */
  write(line: string): void {
    if (this.#waitingBytes > maxWaitingBytes) return
    this.#waiting.push(line)
    this.#waitingBytes += line.length
    this.#running ??= this.#run()
  }

  /** Resolves when all that was written is out. */
  async flush(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #run(): Promise<void> {
    // Lets the lines of this turn come together.
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
        // A full pipe that doesn't wait; nobody reads any more, or the disk is full, which no log can tell.
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
