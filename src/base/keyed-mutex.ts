import type { AbortOptions } from './abort.ts'

/** One queue for each key: work on the same key runs one after another, work on different keys side by side. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>()

  /** Runs `work` when all earlier work on `key` has ended, and gives its result. Throws the reason of `signal` if
   *  that is aborted while `work` still waits; once it runs, `work` itself must watch the signal. */
  async run<T>(key: string, work: () => Promise<T>, { signal }: AbortOptions = {}): Promise<T> {
    const previous = this.#tails.get(key)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#tails.set(key, promise)
    const leave = () => {
      if (this.#tails.get(key) === promise) this.#tails.delete(key)
      resolve()
    }
    try {
      if (previous !== undefined) await (signal === undefined ? previous : untilAborted(previous, signal))
    } catch (error) {
      // Work that is queued behind still waits for the work in front.
      void previous?.then(leave)
      throw error
    }
    try {
      return await work()
    } finally {
      leave()
    }
  }

  /** True while work on `key` runs or waits. */
  isBusy(key: string): boolean {
    return this.#tails.has(key)
  }
}

async function untilAborted(previous: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const give = () => reject(signal.reason)
  if (signal.aborted) give()
  else signal.addEventListener('abort', give, { once: true })
  try {
    await Promise.race([previous, promise])
  } finally {
    signal.removeEventListener('abort', give)
  }
}
