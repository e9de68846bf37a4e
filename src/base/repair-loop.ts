/** Repairs something each time that it was damaged: one repair at a time, with a pause after each, so that a program that
 *  damages it all the time costs little. A failed repair is tried again after the pause. */
import { setTimeout as sleep } from 'node:timers/promises'

/** What a `RepairLoop` does. */
export interface RepairLoopOptions {
  readonly repair: () => Promise<void>
  /** Called for each failed repair. `isRepeated`: the one before failed as well. */
  readonly onFailure: (error: unknown, isRepeated: boolean) => void
  /** The least time between two repairs, in milliseconds. */
  readonly pauseMs: number
}

/** Makes repairs when `onDamage` asks for them. */
export class RepairLoop {
  readonly #options: RepairLoopOptions
  readonly #closing = new AbortController()
  #isDamaged = false
  #work: Promise<void> | undefined

  constructor(options: RepairLoopOptions) {
    this.#options = options
  }

  /** Has a repair made now, or after the pause if the last one was just made. Does nothing after `close`. */
  onDamage(): void {
    this.#isDamaged = true
    // In a later turn, so that damage which a repair notices at once finds the loop at work.
    this.#work ??= Promise.resolve().then(() => this.#run())
  }

  /** Begins no more repairs, and waits for the one under way. Never rejects. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#work
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    const { repair, onFailure, pauseMs } = this.#options
    let hasFailed = false
    while (this.#isDamaged && !signal.aborted) {
      this.#isDamaged = false
      try {
        await repair()
        hasFailed = false
      } catch (error) {
        if (!signal.aborted) onFailure(error, hasFailed)
        hasFailed = true
        this.#isDamaged = true
      }
      // Rejects when the loop is closed.
      await sleep(pauseMs, undefined, { ref: false, signal }).catch(() => {})
    }
    this.#work = undefined
  }
}
