/** Memory for parts on their way into the bucket, shared by all uploads of the process: only so many parts are sent
 *  at once, and their buffers are used again, since the garbage collector comes late for what it does not hold itself.
 *  Who waits for a slot keeps its own client waiting, and the part in its hands. Parts on their way end by themselves,
 *  so nobody waits for ever. */
export class PartSlots {
  #free: number
  readonly #waiting: (() => void)[] = []
  readonly #spare: Buffer[] = []
  readonly #maxSpare: number
  #users = 0

  constructor(count: number) {
    this.#free = count
    this.#maxSpare = count
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

  /** Somebody is going to send parts; gives what says that they are done. The last one takes the memory along. */
  join(): () => void {
    this.#users += 1
    return () => {
      this.#users -= 1
      if (this.#users === 0) this.#spare.length = 0
    }
  }

  /** Memory for one part; what it holds is left from another one. */
  buffer(sizeBytes: number): Buffer {
    const spare = this.#spare.at(-1)
    if (spare?.length === sizeBytes) {
      this.#spare.pop()
      return spare
    }
    // Untouched memory is not really there: an upload of a few bytes costs no more than these.
    return Buffer.allocUnsafeSlow(sizeBytes)
  }

  /** Takes memory back that nobody looks at any more. */
  recycle(buffer: Buffer): void {
    if (this.#users > 0 && this.#spare.length < this.#maxSpare) this.#spare.push(buffer)
  }
}
