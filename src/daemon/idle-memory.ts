import { type Logger, messageOf } from '../base/index.ts'
import { releaseMemory } from '../sys/index.ts'

/** The daemon counts as idle this long after its last work. */
const idleAfterMs = 2000
/** A daemon that is never idle returns memory after this time. */
const atLatestMs = 60_000
/** Returning less memory than this is not worth the time of a garbage collection. */
const worthwhileBytes = 6 << 20

/** Returns memory to the system when the engine becomes idle after some work. */
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

  /** Notes that the engine has worked. */
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

  /** Stops the timer. A second call has no effect. */
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
