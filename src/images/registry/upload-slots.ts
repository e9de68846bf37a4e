/** How many uploads run at once, over all pushes. */
export class UploadSlots {
  #size: number
  #taken = 0
  readonly #waiting: (() => void)[] = []

  constructor(size: number) {
    this.#size = size
  }

  /** Runs work when there is room, in the order of asking; `onWait` is called when it has to wait. */
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

  /** Changes how many there are; those that run go on. */
  resize(size: number): void {
    this.#size = size
    while (this.#taken < this.#size && this.#waiting.length > 0) {
      this.#taken += 1
      this.#waiting.shift()?.()
    }
  }

  /** The slot goes to the next in line, unless there are too many now. */
  #release(): void {
    const next = this.#taken <= this.#size ? this.#waiting.shift() : undefined
    if (next === undefined) this.#taken -= 1
    else next()
  }
}
