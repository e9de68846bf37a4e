/** Those who wait for the next time that something happens. */
import type { AbortOptions } from '../../base/index.ts'

/** How a container ended, as waiters see it. */
export interface WaitResult {
  readonly exitCode: number
  readonly error?: string
}

export class Waiters {
  readonly #waiting = new Set<(result: WaitResult) => void>()

  /** Resolves with what is told next. Rejects with the signal's reason: a client that has gone is kept no longer. */
  wait({ signal }: AbortOptions = {}): Promise<WaitResult> {
    if (signal === undefined) return new Promise((resolve) => this.#waiting.add(resolve))
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(waiter)
        reject(signal.reason)
      }
      const waiter = (result: WaitResult): void => {
        signal.removeEventListener('abort', giveUp)
        resolve(result)
      }
      if (signal.aborted) {
        reject(signal.reason)
        return
      }
      signal.addEventListener('abort', giveUp)
      this.#waiting.add(waiter)
    })
  }

  tell(result: WaitResult): void {
    const told = [...this.#waiting]
    this.#waiting.clear()
    for (const waiter of told) waiter(result)
  }
}
