/** The frames of a build session: `u8 kind | u32be channel | u32be length | payload`; see docs/build.md.
 *  The daemon opens the channels. The whole connection waits while the reader of a channel is slow. */
import { once } from 'node:events'
import { Duplex, type Readable } from 'node:stream'
import { buildFrame, maxBuildFrameBytes, maxBuildMessageBytes } from '../../api/index.ts'
import { BerthError, invalidArgument, messageOf } from '../../base/index.ts'
import type { HijackedConnection } from '../../http/index.ts'
import { IncomingBytes } from './incoming-bytes.ts'

const headerBytes = 9

export class FrameConnection {
  readonly #connection: HijackedConnection
  readonly #incoming = new Map<number, IncomingBytes>()
  #lastChannel = 0
  #failure: Error | undefined

  constructor(connection: HijackedConnection) {
    this.#connection = connection
  }

  /** Reads frames until the client has gone; messages go to `onMessage`. */
  async read(onMessage: (message: unknown) => void): Promise<void> {
    let rest = Buffer.alloc(0)
    try {
      for await (const chunk of this.#connection.input as Readable & AsyncIterable<Buffer>) {
        let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
        while (bytes.length >= headerBytes) {
          const length = bytes.readUInt32BE(5)
          const limit = bytes.readUInt8(0) === buildFrame.message ? maxBuildMessageBytes : maxBuildFrameBytes
          if (length > limit) throw invalidArgument('a frame of the build session is too long')
          if (bytes.length < headerBytes + length) break
          const payload = bytes.subarray(headerBytes, headerBytes + length)
          await this.#take(bytes.readUInt8(0), bytes.readUInt32BE(1), payload, onMessage)
          bytes = bytes.subarray(headerBytes + length)
        }
        rest = Buffer.from(bytes)
      }
      this.#fail(new BerthError('cancelled', 'the client closed the connection'))
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(messageOf(error)))
    }
  }

  /** Sends a message without waiting for the client, because messages are small. */
  send(message: unknown): void {
    const bytes = Buffer.from(JSON.stringify(message))
    this.#write(this.#frame(buildFrame.message, 0, bytes))
  }

  /** Opens a channel and gives its number. Bytes that arrive on it are kept until they are read. */
  open(): number {
    this.#lastChannel += 1
    const channel = this.#lastChannel
    const incoming = new IncomingBytes(() => this.#incoming.delete(channel))
    if (this.#failure !== undefined) incoming.fail(this.#failure)
    this.#incoming.set(channel, incoming)
    return channel
  }

  /** The bytes that the client sends on a channel. */
  incoming(channel: number): AsyncIterable<Buffer> {
    const found = this.#incoming.get(channel)
    if (found === undefined) throw invalidArgument(`no channel ${channel}`)
    return found
  }

  /** Resolves when the connection can take more. */
  async sendBytes(channel: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += maxBuildFrameBytes) {
      if (this.#failure !== undefined) throw this.#failure
      const piece = bytes.subarray(at, at + maxBuildFrameBytes)
      if (this.#write(this.#frame(buildFrame.bytes, channel, piece))) continue
      await Promise.race([
        once(this.#connection.output as never, 'drain'),
        once(this.#connection.output as never, 'close'),
      ])
    }
  }

  sendEnd(channel: number): void {
    this.#write(this.#frame(buildFrame.end, channel, Buffer.alloc(0)))
  }

  /** Both directions of a channel as one stream. */
  duplex(channel: number): Duplex {
    const source = this.incoming(channel)[Symbol.asyncIterator]()
    return new Duplex({
      allowHalfOpen: true,
      read() {
        source.next().then(
          ({ done, value }) => this.push(done === true ? null : value),
          (error: unknown) => this.destroy(error instanceof Error ? error : new Error(messageOf(error))),
        )
      },
      write: (chunk: Buffer, _encoding, done) => {
        this.sendBytes(channel, chunk).then(() => done(), done)
      },
      final: (done) => {
        this.sendEnd(channel)
        done()
      },
    })
  }

  finish(): void {
    this.#connection.finish()
  }

  async #take(kind: number, channel: number, payload: Buffer, onMessage: (message: unknown) => void): Promise<void> {
    switch (kind) {
      case buildFrame.message:
        onMessage(parse(payload))
        return
      case buildFrame.bytes:
        await this.#incoming.get(channel)?.push(Buffer.from(payload))
        return
      case buildFrame.end:
        this.#incoming.get(channel)?.end(payload.length === 0 ? undefined : problemOf(payload))
        return
      default:
        throw invalidArgument(`unknown kind of frame ${kind}`)
    }
  }

  #frame(kind: number, channel: number, payload: Uint8Array): Buffer {
    const frame = Buffer.allocUnsafe(headerBytes + payload.length)
    frame.writeUInt8(kind, 0)
    frame.writeUInt32BE(channel, 1)
    frame.writeUInt32BE(payload.length, 5)
    frame.set(payload, headerBytes)
    return frame
  }

  #write(frame: Buffer): boolean {
    const { output } = this.#connection
    return output.destroyed || output.writableEnded ? true : output.write(frame)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const one of this.#incoming.values()) one.fail(error)
  }
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch (cause) {
    throw invalidArgument('a message of the build session is no JSON', { cause })
  }
}

function problemOf(payload: Buffer): Error {
  const { message } = parse(payload) as { readonly message?: unknown }
  return new BerthError('invalidArgument', typeof message === 'string' ? message : 'the client could not go on')
}
