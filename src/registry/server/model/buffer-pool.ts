/** A pool of buffers of one size. Allocating such memory for each piece of a blob would cost more than reading and
 *  sending the piece. At most `maxKept` free buffers are kept. */
export class BufferPool {
  readonly #sizeBytes: number
  readonly #maxKept: number
  readonly #free: Buffer[] = []

  constructor(sizeBytes: number, maxKept: number) {
    this.#sizeBytes = sizeBytes
    this.#maxKept = maxKept
  }

  /** Gives a buffer with arbitrary content. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#sizeBytes)
  }

  /** Returns a buffer to the pool. The caller must not use it any longer. */
  give(buffer: Buffer): void {
    if (this.#free.length < this.#maxKept) this.#free.push(buffer)
  }
}
