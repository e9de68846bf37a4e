/** Keeps garbage collection apart from work that makes images: any number of makers at once, or one
 *  collector alone. A maker looks up what is there already and builds on it, so nothing may vanish meanwhile. */
export class ActivityGate {
  #makers = 0
  #collecting: Promise<void> | undefined
  #waiting: (() => void)[] = []

  /** Runs work that makes images or their parts; waits while garbage is collected. */
  async make<T>(work: () => Promise<T>): Promise<T> {
    while (this.#collecting !== undefined) await this.#collecting
    this.#makers += 1
    try {
      return await work()
    } finally {
      this.#makers -= 1
      if (this.#makers === 0) for (const wake of this.#waiting.splice(0)) wake()
    }
  }

  /** Runs a collection when nobody makes images. */
  async collect<T>(work: () => Promise<T>): Promise<T> {
    while (this.#makers > 0 || this.#collecting !== undefined) {
      await (this.#collecting ?? new Promise<void>((resolve) => this.#waiting.push(resolve)))
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#collecting = promise
    try {
      return await work()
    } finally {
      this.#collecting = undefined
      resolve()
    }
  }

  /** True while a collection would have to wait. */
  get isBusy(): boolean {
    return this.#makers > 0 || this.#collecting !== undefined
  }
}
