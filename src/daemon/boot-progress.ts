/** Logs the steps of a start that take long, for example on a busy disk or while another engine holds a lock. Without
 *  these lines a slow start would look like a daemon that hangs. */
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

  /** Begins the next step, which ends the one before. */
  step(name: string): void {
    // The timer can't fire during a step that blocks the whole program, so that step is logged here.
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
