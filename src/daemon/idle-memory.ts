import { type Logger, messageOf } from '../base/index.ts'
import { releaseMemory } from '../sys/index.ts'

/** So long after the last work the daemon counts as idle. */
const idleAfterMs = 2000
/** One that is never idle gives memory back all the same. */
const atLatestMs = 60_000
/** Less is not worth the collector's time. */
const worthwhileBytes = 6 << 20

/** Gives memory back to the system each time the engine comes to rest after some work. */
export class IdleMemory {
  readonly #logger: Logger
  #timer: NodeJS.Timeout | undefined
  #busySince = 0
  #residentBytes = 0
  #closed = false

  constructor(logger: Logger) {
    this.#logger = logger
    this.touch()
  }

  /** There was some work. */
  touch(): void {
    if (this.#closed) return
    const now = performance.now()
    if (this.#timer === undefined) {
      this.#busySince = now
      this.#timer = setTimeout(() => this.#release(), idleAfterMs).unref()
    } else if (now - this.#busySince < atLatestMs) {
      this.#timer.refresh()
    }
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #release(): void {
    this.#timer = undefined
    if (process.memoryUsage.rss() < this.#residentBytes + worthwhileBytes) return
    releaseMemory()
      .then(() => {
        this.#residentBytes = process.memoryUsage.rss()
      })
      .catch((error: unknown) => this.#logger.debug('memory not released', { error: messageOf(error) }))
  }
}
