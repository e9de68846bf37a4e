/** Reads a request's body chunk by chunk, no faster than the consumer takes the chunks. */
import type { IncomingMessage } from 'node:http'
import { BerthError } from '../../../base/index.ts'
import { releaseYoungMemory } from '../../../sys/index.ts'
import { RegistryError } from '../model/registry-error.ts'
import type { BodyFault } from '../storage/transfer/body-fault.ts'

export interface RequestBodyOptions {
  /** How long the client may send nothing while the consumer waits. */
  readonly idleMs: number
  /** A longer body is refused with the error of `tooLong`. */
  readonly maxBytes?: number | undefined
  readonly tooLong?: (() => RegistryError) | undefined
}

/** With more unread bytes in memory, reading from the client pauses. */
const highWaterBytes = 128 * 1024

/** After this many bytes of all requests together, the memory of their buffers is freed. */
const releaseBytes = 8 * 1024 * 1024
let unreleasedBytes = 0

/** Yields the chunks of a body. Rejects with `cancelled` if the client leaves before the end, and with status 408 if it
 *  sends nothing for too long. The caller must begin to read at once, or it may miss the end of an empty body. */
export async function* readBody(request: IncomingMessage, options: RequestBodyOptions): AsyncGenerator<Buffer> {
  const inbox = new Inbox(request)
  const timer = setTimeout(() => inbox.fail(silent()), options.idleMs)
  let received = 0
  try {
    for (;;) {
      timer.refresh()
      const chunk = await inbox.take()
      if (chunk === undefined) return
      received += chunk.length
      if (received > (options.maxBytes ?? Number.POSITIVE_INFINITY)) throw (options.tooLong ?? unexpectedBytes)()
      yield chunk
    }
  } finally {
    clearTimeout(timer)
    inbox.close()
  }
}

/** The error of `readBody` for a fault of a body that was read from its connection. */
export function bodyFaultError({ kind }: BodyFault): BerthError {
  switch (kind) {
    case 'gone':
      return gone()
    case 'silent':
      return silent()
    case 'tooLong':
      return unexpectedBytes()
    case 'malformed':
      return new RegistryError('BLOB_UPLOAD_INVALID', { message: 'the chunks of the body are malformed' })
    default:
      return kind satisfies never
  }
}

/** Chunks that arrived and were not taken yet. */
class Inbox {
  readonly #request: IncomingMessage
  #chunks: Buffer[] = []
  #bytes = 0
  #state: 'open' | 'ended' | Error = 'open'
  #wake: (() => void) | undefined

  constructor(request: IncomingMessage) {
    this.#request = request
    if (request.readableEnded || request.complete) {
      // The body was received completely. Its bytes may still be in the stream.
      if (request.readableEnded) this.#state = 'ended'
    } else if (request.destroyed) this.#state = gone()
    request.on('data', this.#onData)
    request.on('end', this.#onEnd)
    request.on('error', this.#onGone)
    request.on('close', this.#onGone)
  }

  /** The next chunk; undefined at the end. */
  async take(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk !== undefined) {
        this.#bytes -= chunk.length
        if (this.#bytes < highWaterBytes) this.#request.resume()
        return chunk
      }
      if (this.#state === 'ended') return undefined
      if (this.#state !== 'open') throw this.#state
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Ends the body with an error, if the consumer is waiting for the client. */
  fail(error: Error): void {
    // While earlier chunks are being stored, the client is not to blame.
    if (this.#state === 'open' && this.#wake !== undefined) this.#settle(error)
  }

  close(): void {
    this.#request.off('data', this.#onData)
    this.#request.off('end', this.#onEnd)
    this.#request.off('close', this.#onGone)
    this.#chunks = []
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    unreleasedBytes += chunk.length
    if (unreleasedBytes >= releaseBytes) {
      unreleasedBytes = 0
      releaseYoungMemory()
    }
    if (this.#bytes >= highWaterBytes) this.#request.pause()
    this.#notify()
  }

  readonly #onEnd = (): void => this.#settle('ended')

  readonly #onGone = (): void => this.#settle(gone())

  #settle(state: 'ended' | Error): void {
    if (this.#state === 'open') this.#state = state
    this.#notify()
  }

  #notify(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}

function gone(): BerthError {
  return new BerthError('cancelled', 'the client closed the connection')
}

function silent(): RegistryError {
  return new RegistryError('BLOB_UPLOAD_INVALID', { status: 408, message: 'the client sent nothing for too long' })
}

function unexpectedBytes(): RegistryError {
  return new RegistryError('SIZE_INVALID')
}
