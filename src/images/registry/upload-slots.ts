/** Limits the number of uploads at a time, over all pushes. */
export class UploadSlots {
  #size: number
  #taken = 0
  readonly #waiting: (() => void)[] = []

  constructor(size: number) {
    this.#size = size
  }

  /** Runs work when a slot is free, in the order of the calls. Calls `onWait` if it has to wait. */
  async run<T>(work: () => Promise<T>, onWait: () => void): Promise<T> {
    if (this.#taken >= this.#size) {
      onWait()
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else {
      this.#taken += 1
    }
    try {
      return await work()
    } finally {
      this.#release()
    }
  }

  /** Changes the number of slots; running uploads go on. */
  resize(size: number): void {
    this.#size = size
    while (this.#taken < this.#size && this.#waiting.length > 0) {
      this.#taken += 1
      this.#waiting.shift()?.()
    }
  }

  /** Gives the slot to the next in line, unless there are too many slots now. */
  #release(): void {
    const next = this.#taken <= this.#size ? this.#waiting.shift() : undefined
    if (next === undefined) this.#taken -= 1
    else next()
  }
}
