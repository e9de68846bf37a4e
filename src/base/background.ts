import { messageOf } from './errors.ts'
import type { Logger } from './logger.ts'

/** Work that nobody awaits: named, its failure logged, and waited for at shutdown. */
export class Background {
  readonly #running = new Map<Promise<void>, string>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Starts `work` now. */
  run(name: string, work: () => Promise<unknown>): void {
    const promise: Promise<void> = work().then(
      () => this.#end(promise),
      (error: unknown) => {
        this.#end(promise)
        this.#logger.error('background work failed', { work: name, error: messageOf(error) })
      },
    )
    this.#running.set(promise, name)
  }

  #end(promise: Promise<void>): void {
    this.#running.delete(promise)
  }

  /** Resolves when all that runs now and all that it started has ended. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.keys())
  }
}
