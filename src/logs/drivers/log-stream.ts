/** A connection to which a driver writes; the answers of the server go to a callback. */
import type { Socket } from 'node:net'
import { BerthError, messageOf, settlesWithin } from '../../base/index.ts'
import { dialStream, type StreamTarget } from './dial.ts'

const closePatienceMs = 2000

/** One connection to a log server. */
export class LogStream {
  readonly #socket: Socket
  #failure: BerthError | undefined
  #onFailure: (error: BerthError) => void = () => {}

  private constructor(socket: Socket, onData: (chunk: Buffer) => void) {
    this.#socket = socket
    socket.unref()
    // Always read: otherwise the end of the connection stays unnoticed.
    socket.on('data', onData)
    socket.on('error', (error) => this.#fail(messageOf(error), error))
    socket.on('end', () => this.#fail('the server closed the connection'))
    socket.on('close', () => this.#fail('the connection is closed'))
  }

  /** Connects to the server; `onData` gets what it sends. Throws `unavailable` with Go's text. */
  static async open(target: StreamTarget, onData: (chunk: Buffer) => void = () => {}): Promise<LogStream> {
    return new LogStream(await dialStream(target), onData)
  }

  /** Writes bytes. Resolves when the kernel has all of them; rejects when the connection breaks or after `timeoutMs`
   *  (0: no limit). */
  async write(bytes: Buffer, timeoutMs = 0): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    await this.race(
      new Promise<void>((resolve, reject) => {
        this.#socket.write(bytes, (error) => (error ? reject(unavailable(messageOf(error), error)) : resolve()))
      }),
      timeoutMs,
    )
  }

  /** Waits for `event`; rejects when the connection breaks or after `timeoutMs` (0: no limit). */
  async race(event: Promise<void>, timeoutMs = 0): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const broken = Promise.withResolvers<never>()
    this.#onFailure = broken.reject
    const either = Promise.race([event, broken.promise])
    if (timeoutMs === 0) return either
    if (!(await settlesWithin(either, timeoutMs))) throw unavailable('i/o timeout')
  }

  /** Ends the connection after everything was written. Idempotent. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    if (this.#socket.closed) return
    this.#socket.end()
    if (this.#failure === undefined) await settlesWithin(closed, closePatienceMs)
    this.#socket.destroy()
  }

  #fail(message: string, cause?: unknown): void {
    this.#failure ??= unavailable(message, cause)
    this.#onFailure(this.#failure)
  }
}

function unavailable(message: string, cause?: unknown): BerthError {
  return new BerthError('unavailable', message, { cause })
}
