/** What a start of the daemon is busy with, for the log of one that takes long: on a disk that others keep busy, or while
 *  another engine holds a lock, nothing else would tell. */
import type { Logger } from '../base/index.ts'

const reportEveryMs = 5000
const slowMs = 2000

export class BootProgress implements Disposable {
  readonly #logger: Logger
  readonly #timer: NodeJS.Timeout
  #step = ''
  #since = 0

  constructor(logger: Logger) {
    this.#logger = logger
    this.#timer = setInterval(() => {
      logger.info('still starting', { step: this.#step, seconds: Math.round(this.#elapsed() / 1000) })
    }, reportEveryMs).unref()
  }

  /** The next step begins, and the one before is done. */
  step(name: string): void {
    // One that blocks the whole program is told only afterwards.
    if (this.#step !== '' && this.#elapsed() > slowMs) {
      this.#logger.info('a step of the start took long', { step: this.#step, ms: Math.round(this.#elapsed()) })
    }
    this.#step = name
    this.#since = performance.now()
  }

  [Symbol.dispose](): void {
    this.step('')
    clearInterval(this.#timer)
  }

  #elapsed(): number {
    return performance.now() - this.#since
  }
}
