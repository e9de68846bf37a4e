/** File times come from a coarser clock, which is some milliseconds behind. */
const clockSlackMs = 100

/** Keeps garbage collection away from images that are being made. Makers and one collection run side by side; two
 *  collections never do. Two rules protect a maker: everything that it makes itself is younger than its start, and it
 *  leases everything that it finds and builds on before it checks that this exists. */
export class ActivityGate {
  readonly #starts = new Set<{ readonly atMs: number }>()
  readonly #restListeners: (() => void)[] = []
  #collecting: Promise<void> | undefined

  /** Runs work that makes images or parts of images. */
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

  /** Calls the listener each time the last maker ends. */
  onRest(listener: () => void): void {
    this.#restListeners.push(listener)
  }

  /** Runs a collection, after any other one has ended. */
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

  /** Start of the oldest maker (Unix milliseconds); infinity when none runs. Things younger than this may belong to a
   *  maker that has no lease for them yet. */
  get oldestStartMs(): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const { atMs } of this.#starts) if (atMs < oldest) oldest = atMs
    return oldest
  }
}
