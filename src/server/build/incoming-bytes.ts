/** Bytes that arrive for one reader. They are pushed, and the number of bytes that wait is limited. */

const waitingBytes = 4 * 1024 * 1024

export class IncomingBytes implements AsyncIterable<Buffer> {
  readonly #onDone: () => void
  readonly #queue: Buffer[] = []
  #queued = 0
  #ended = false
  #failure: Error | undefined
  #wakeReader: (() => void) | undefined
  #wakeWriter: (() => void) | undefined
  #abandoned = false

  constructor(onDone: () => void) {
    this.#onDone = onDone
  }

  /** Resolves when more bytes may be pushed. */
  async push(chunk: Buffer): Promise<void> {
    if (this.#abandoned) return
    this.#queue.push(chunk)
    this.#queued += chunk.length
    this.#wakeReader?.()
    while (this.#queued > waitingBytes && !this.#abandoned && this.#failure === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wakeWriter = resolve
      await promise
    }
  }

  end(problem?: Error): void {
    this.#ended = true
    if (problem !== undefined) this.#failure ??= problem
    this.#wakeReader?.()
  }

  fail(error: Error): void {
    this.#failure ??= error
    this.#wakeReader?.()
    this.#wakeWriter?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        const next = this.#queue.shift()
        if (next !== undefined) {
          this.#queued -= next.length
          this.#wakeWriter?.()
          yield next
        } else if (this.#failure !== undefined) throw this.#failure
        else if (this.#ended) return
        else {
          const { promise, resolve } = Promise.withResolvers<void>()
          this.#wakeReader = resolve
          await promise
        }
      }
    } finally {
      this.#abandoned = true
      this.#wakeWriter?.()
      this.#onDone()
    }
  }
}
