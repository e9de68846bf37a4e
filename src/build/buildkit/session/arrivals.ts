/** A registry of named things that may be requested before they arrive. Calls that belong together come over several
 *  connections, in any order. */
import { BerthError } from '../../../base/index.ts'

/** How to wait. */
export interface FindOptions {
  readonly signal: AbortSignal
  /** How long to wait, in milliseconds. */
  readonly waitMs: number
  /** Makes the error for something that did not arrive in time. */
  readonly missing: () => BerthError
}

/** Things by name. */
export class Arrivals<T> {
  readonly #here = new Map<string, T>()
  readonly #waiting = new Map<string, Set<(thing: T) => void>>()

  has(name: string): boolean {
    return this.#here.has(name)
  }

  /** Adds a thing and gives it to everyone who waits for that name. */
  add(name: string, thing: T): void {
    this.#here.set(name, thing)
    for (const resolve of this.#waiting.get(name) ?? []) resolve(thing)
  }

  /** Removes a thing. Later requests for the name wait again. */
  remove(name: string): void {
    this.#here.delete(name)
  }

  /** Gives the thing, and waits for it if necessary. Throws `cancelled` when `signal` is aborted first. */
  async find(name: string, { signal, waitMs, missing }: FindOptions): Promise<T> {
    const known = this.#here.get(name)
    if (known !== undefined) return known
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const waiting = this.#waiting.get(name) ?? new Set()
    this.#waiting.set(name, waiting.add(resolve))
    const give = () => reject(signal.aborted ? new BerthError('cancelled', 'context canceled') : missing())
    const timer = setTimeout(give, waitMs)
    signal.addEventListener('abort', give, { once: true })
    if (signal.aborted) give()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', give)
      waiting.delete(resolve)
      if (waiting.size === 0) this.#waiting.delete(name)
    }
  }
}
