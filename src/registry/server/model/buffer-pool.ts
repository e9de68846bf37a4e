/** Buffers that are used again: memory of this size that is taken anew for each piece of a blob costs more than
 *  reading and sending it. Some of those that nobody uses are kept. */
export class BufferPool {
  readonly #sizeBytes: number
  readonly #maxKept: number
  readonly #free: Buffer[] = []

  constructor(sizeBytes: number, maxKept: number) {
    this.#sizeBytes = sizeBytes
    this.#maxKept = maxKept
  }

  /** A buffer with anything in it. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#sizeBytes)
  }

  /** Takes a buffer back that nobody reads or writes any more. */
  give(buffer: Buffer): void {
    if (this.#free.length < this.#maxKept) this.#free.push(buffer)
  }
}
