/** How many parts the process sends at once: memory that all uploads share. Who waits keeps its own client waiting,
 *  and the part in its hands. Parts on their way end by themselves, so nobody waits for ever. */
export class PartSlots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Waits for a slot; gives what hands it back. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return () => {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }
}
