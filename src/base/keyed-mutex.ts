/** One queue per key: work on the same key runs one after another, work on different keys side by side. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>()

  /** Runs `work` when all earlier work on `key` has ended; gives its result. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const previous = this.#tails.get(key)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#tails.set(key, promise)
    try {
      if (previous !== undefined) await previous
      return await work()
    } finally {
      if (this.#tails.get(key) === promise) this.#tails.delete(key)
      resolve()
    }
  }

  /** True while work on `key` runs or waits. */
  isBusy(key: string): boolean {
    return this.#tails.has(key)
  }
}
