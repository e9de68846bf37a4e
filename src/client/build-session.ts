/** The client's end of a build session: messages from the daemon, and the channels of bytes that the daemon opens. */
import type { Socket } from 'node:net'
import {
  type BuildAsk,
  type BuildCancel,
  type BuildEvent,
  type BuildRequest,
  buildFrame,
  maxBuildFrameBytes,
  maxBuildMessageBytes,
} from '../api/index.ts'
import { BerthError, internal, invalidArgument } from '../base/index.ts'
import { type BuildFrame, FrameParser, formatFrameHead } from './transport/build-frames.ts'
import { nextChunk } from './transport/http-response.ts'
import { drained, type HijackedConnection } from './transport/transport.ts'

/** How much of one channel is kept for a slow reader. Beyond that, the whole connection waits for the reader. */
const queueBytes = 8 * 1024 * 1024

/** The bytes of one channel towards the client. */
interface Incoming {
  readonly queue: Buffer[]
  queuedBytes: number
  /** Set when the channel has ended; with an error if it broke. */
  end: { readonly error?: Error } | undefined
  wake: () => void
}

/** A build session over a hijacked connection. Its frames: `transport/build-frames.ts`. */
export class BuildSession {
  readonly #socket: Socket
  readonly #incoming = new Map<number, Incoming>()
  readonly #rest: Buffer
  #onRoom: () => void = () => undefined

  constructor({ socket, head }: HijackedConnection) {
    this.#socket = socket
    this.#rest = head
  }

  /** Sends a message. Throws `invalidArgument` when it is too large. */
  send(message: BuildRequest | BuildCancel): void {
    const bytes = Buffer.from(JSON.stringify(message))
    if (bytes.length > maxBuildMessageBytes) throw invalidArgument('the build request is too large')
    this.#frame(buildFrame.message, 0, bytes)
  }

  /** The daemon's messages, until it closes the connection. May be called once, and must be iterated, because that
   *  serves the channels as well. Throws `unavailable` when the connection breaks, `dataLoss` for bytes that are not
   *  a frame. */
  async *messages(): AsyncGenerator<BuildAsk | BuildEvent, void, void> {
    const parser = new FrameParser()
    try {
      for (let chunk: Buffer | undefined = this.#rest; chunk !== undefined; chunk = await nextChunk(this.#socket)) {
        for (const frame of parser.push(chunk)) {
          if (frame.kind === buildFrame.message) yield this.#opened(JSON.parse(frame.payload.toString('utf8')))
          else await this.#deliver(frame)
        }
      }
      if (!parser.isBetween) throw lost()
    } finally {
      for (const channel of this.#incoming.values()) {
        channel.end ??= { error: lost() }
        channel.wake()
      }
    }
  }

  /** The bytes that the daemon sends on a channel. Throws the error that the daemon reports for it. */
  async *read(channel: number): AsyncGenerator<Buffer, void, void> {
    const incoming = this.#incoming.get(channel)
    if (incoming === undefined) throw internal(`the build has no channel ${channel}`)
    for (;;) {
      const chunk = incoming.queue.shift()
      if (chunk !== undefined) {
        incoming.queuedBytes -= chunk.length
        this.#onRoom()
        yield chunk
      } else if (incoming.end !== undefined) {
        if (incoming.end.error !== undefined) throw incoming.end.error
        return
      } else {
        await new Promise<void>((resolve) => {
          incoming.wake = resolve
        })
      }
    }
  }

  /** Sends bytes on a channel. Resolves when there is room for more. */
  async write(channel: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += maxBuildFrameBytes) {
      this.#frame(buildFrame.bytes, channel, bytes.subarray(at, at + maxBuildFrameBytes))
      if (this.#socket.writableNeedDrain) await drained(this.#socket)
      if (!this.#socket.writable) throw lost()
    }
  }

  /** Ends the sending side of a channel. With `message`, it ends because of that failure. */
  end(channel: number, message?: string): void {
    const payload = message === undefined ? '' : JSON.stringify({ message })
    this.#frame(buildFrame.end, channel, Buffer.from(payload))
  }

  /** Closes the connection, and so cancels a build that still runs. */
  close(): void {
    this.#socket.destroy()
  }

  #frame(kind: number, channel: number, payload: Uint8Array): void {
    if (!this.#socket.writable) return
    this.#socket.cork()
    this.#socket.write(formatFrameHead(kind, channel, payload.length))
    if (payload.length > 0) this.#socket.write(payload)
    this.#socket.uncork()
  }

  /** Registers the channel that a message opens, before the caller sees the message. */
  #opened(message: BuildAsk | BuildEvent): BuildAsk | BuildEvent {
    if ('channel' in message) {
      this.#incoming.set(message.channel, { queue: [], queuedBytes: 0, end: undefined, wake: () => undefined })
    }
    return message
  }

  async #deliver({ kind, channel, payload }: BuildFrame): Promise<void> {
    const incoming = this.#incoming.get(channel)
    // The channel was given up.
    if (incoming === undefined) return
    if (kind === buildFrame.end) {
      const message = payload.length === 0 ? undefined : messageIn(payload)
      incoming.end = message === undefined ? {} : { error: new BerthError('internal', message) }
    } else {
      incoming.queue.push(payload)
      incoming.queuedBytes += payload.length
    }
    incoming.wake()
    while (incoming.queuedBytes > queueBytes && !this.#socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve
      })
    }
  }
}

function messageIn(payload: Buffer): string {
  return (JSON.parse(payload.toString('utf8')) as { readonly message: string }).message
}

function lost(): BerthError {
  return new BerthError('unavailable', 'the daemon closed the connection before the build was done')
}
