/** Clients that wait for the next occurrence of something, such as the end of a run. */
import type { AbortOptions } from '../../base/index.ts'

/** How a container ended, as clients that wait see it. `error` says why a start failed. */
export interface WaitResult {
  readonly exitCode: number
  readonly error?: string
}

/** A list of promises that are resolved together. */
export class Waiters {
  readonly #waiting = new Set<(result: WaitResult) => void>()

  /** Resolves with the next result. If the signal aborts, rejects with its reason and forgets the caller, so that
   *  clients that disconnect do not pile up. */
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

  /** Resolves all current waits with this result. */
  tell(result: WaitResult): void {
    const told = [...this.#waiting]
    this.#waiting.clear()
    for (const waiter of told) waiter(result)
  }
}
