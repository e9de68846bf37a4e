/** Limits the memory for parts that are being sent to the bucket, for all uploads of the process together. Only a
 *  certain number of parts is sent at a time. Their buffers are reused, because the garbage collector frees memory
 *  outside its heap late. An upload that waits for a slot keeps its filled part and lets its client wait. Every
 *  request ends, so no upload waits forever. */
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

  /** Waits for a slot. Gives a function that returns it. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return () => {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }

  /** Registers a sender. Gives a function that ends it. After the last sender has ended, the memory is freed. */
  join(): () => void {
    this.#users += 1
    return () => {
      this.#users -= 1
      if (this.#users === 0) this.#spare.length = 0
    }
  }

  /** Memory for one part, with arbitrary content. */
  buffer(sizeBytes: number): Buffer {
    const spare = this.#spare.at(-1)
    if (spare?.length === sizeBytes) {
      this.#spare.pop()
      return spare
    }
    // The kernel provides memory only when it is touched, so an upload of a few bytes costs little.
    return Buffer.allocUnsafeSlow(sizeBytes)
  }

  /** Returns a part's memory. The caller must not use it any longer. */
  recycle(buffer: Buffer): void {
    if (this.#users > 0 && this.#spare.length < this.#maxSpare) this.#spare.push(buffer)
  }
}
