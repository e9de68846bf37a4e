/** Times of files come from a coarser clock, which is behind by some milliseconds. */
const clockSlackMs = 100

/** Knows who makes images, so that garbage collection takes nothing from under them. Makers and a collection run
 *  side by side; two collections never do. A maker is safe by two rules: what it makes itself is younger than its
 *  start, and what it finds and builds on it holds with a lease before it looks whether it is there. */
export class ActivityGate {
  readonly #starts = new Set<{ readonly atMs: number }>()
  readonly #restListeners: (() => void)[] = []
  #collecting: Promise<void> | undefined

  /** Runs work that makes images or their parts. */
  async make<T>(work: () => Promise<T>): Promise<T> {
    const start = { atMs: Date.now() - clockSlackMs }
    this.#starts.add(start)
    try {
      return await work()
    } finally {
      this.#starts.delete(start)
      if (this.#starts.size === 0) for (const listener of this.#restListeners) listener()
    }
  }

  /** Calls the listener each time when nobody makes images any more. */
  onRest(listener: () => void): void {
    this.#restListeners.push(listener)
  }

  /** Runs a collection when no other runs. */
  async collect<T>(work: () => Promise<T>): Promise<T> {
    while (this.#collecting !== undefined) await this.#collecting
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#collecting = promise
    try {
      return await work()
    } finally {
      this.#collecting = undefined
      resolve()
    }
  }

  /** When the work that runs for the longest began (Unix milliseconds); infinity when none runs. What is younger may
   *  be somebody's who has not said so yet. */
  get oldestStartMs(): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const { atMs } of this.#starts) if (atMs < oldest) oldest = atMs
    return oldest
  }
}
