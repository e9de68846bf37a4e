import { messageOf } from './errors.ts'
import type { Logger } from './logger.ts'

/** Runs work that no caller awaits. Each piece has a name, its failure is logged, and shutdown waits for it. */
export class Background {
  readonly #running = new Map<Promise<void>, string>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Starts `work` at once. `name` is for the log. */
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

  /** Resolves when all running work has ended, including work that it started. Never rejects. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.keys())
  }
}
