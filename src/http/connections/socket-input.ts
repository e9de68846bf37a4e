import { Readable } from 'node:stream'

/** The bytes that a client sends after its connection was taken over. Unlike the socket itself, this stream can be
 *  read to its end or destroyed without closing the other direction: a client that has sent all its input still
 *  waits for output. */
export class SocketInput extends Readable {
  readonly #source: Readable

  constructor(source: Readable) {
    super({ highWaterMark: 64 * 1024 })
    this.#source = source
    source.on('data', (chunk: Buffer) => {
      if (!this.destroyed && !this.push(chunk)) source.pause()
    })
    source.once('end', () => this.#finish())
    source.once('close', () => this.#finish())
    source.pause()
  }

  override _read(): void {
    this.#source.resume()
  }

  /** Further input is read and dropped, so that the server still sees the client's end. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#source.resume()
    callback(error)
  }

  #finish(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null)
  }
}
