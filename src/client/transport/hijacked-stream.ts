/** Both directions of an attached process, over a hijacked connection. */
import type { Socket } from 'node:net'
import type { OutputStream } from '../../base/index.ts'
import { Demultiplexer } from './demultiplexer.ts'
import { drained, type HijackedConnection } from './transport.ts'

/** The client's end of attach and exec. */
export interface AttachedStream {
  /** Sends bytes to stdin. False: wait for `drained()` before the next call. */
  write(chunk: Uint8Array): boolean
  drained(): Promise<void>
  /** Closes stdin only: the output continues. */
  endInput(): void
  /** Passes the output to `write` until the process or the daemon closes it. May be called once. */
  readOutput(write: (stream: OutputStream, chunk: Buffer) => void): Promise<void>
  close(): void
}

/** An AttachedStream over a hijacked connection. */
export class HijackedStream implements AttachedStream {
  readonly #socket: Socket
  readonly #head: Buffer
  readonly #multiplexed: boolean

  /** `multiplexed`: the output comes in frames, as for a process without a terminal. The caller must know, because
   *  daemons before API 1.42 do not send it. */
  constructor(connection: HijackedConnection, { multiplexed }: { readonly multiplexed: boolean }) {
    this.#socket = connection.socket
    this.#head = connection.head
    this.#multiplexed = multiplexed
  }

  write(chunk: Uint8Array): boolean {
    return this.#socket.writable ? this.#socket.write(chunk) : true
  }

  drained(): Promise<void> {
    if (!this.#socket.writableNeedDrain) return Promise.resolve()
    return drained(this.#socket)
  }

  endInput(): void {
    if (this.#socket.writable) this.#socket.end()
  }

  readOutput(write: (stream: OutputStream, chunk: Buffer) => void): Promise<void> {
    const frames = new Demultiplexer(write)
    const push = this.#multiplexed ? (chunk: Buffer) => frames.push(chunk) : (chunk: Buffer) => write('stdout', chunk)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const socket = this.#socket
    const take = (chunk: Buffer): void => {
      try {
        push(chunk)
      } catch (error) {
        socket.destroy()
        reject(error)
      }
    }
    if (this.#head.length > 0) take(this.#head)
    socket.on('data', take)
    socket.once('end', resolve)
    socket.once('close', () => resolve())
    if (socket.closed || socket.readableEnded) resolve()
    return promise
  }

  close(): void {
    this.#socket.destroy()
  }
}
