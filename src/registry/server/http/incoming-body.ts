/** The body of one request. It arrives either through Node, chunk by chunk, or is still in the connection, from which
 *  the storage reads it (`SocketBody`). Both ways count the bytes. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { internal } from '../../../base/index.ts'
import type { SocketBody } from '../../../http/index.ts'
import type { RegistryError } from '../model/registry-error.ts'
import type { RegistryLimits } from '../model/registry-limits.ts'
import type { ConnectionBody, Received } from '../storage/registry-storage.ts'
import { BodyFault } from '../storage/transfer/body-fault.ts'
import { bodyFaultError, readBody } from './request-body.ts'

/** How the body of a request arrives. */
export interface RequestArrival {
  /** The client waits for `100 Continue` before it sends the body (`Expect: 100-continue`). */
  readonly awaitsContinue: boolean
  /** Set if the body is still in the connection. */
  readonly socketBody?: SocketBody | undefined
}

export interface BodyOptions {
  readonly maxBytes?: number | undefined
  /** The error for a longer body. Default: SIZE_INVALID. */
  readonly tooLong?: (() => RegistryError) | undefined
}

export class IncomingBody {
  /** Bytes that arrived so far. */
  receivedBytes = 0
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #idleMs: number
  readonly #socketBody: SocketBody | undefined
  #awaitsContinue: boolean

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    { idleMs }: Pick<RegistryLimits, 'idleMs'>,
    { awaitsContinue, socketBody }: RequestArrival,
  ) {
    this.#request = request
    this.#response = response
    this.#idleMs = idleMs
    this.#socketBody = socketBody
    this.#awaitsContinue = awaitsContinue
  }

  /** The size that the headers announce; undefined if the body comes in chunks. */
  get sizeBytes(): number | undefined {
    const { headers } = this.#request
    if (headers['transfer-encoding'] !== undefined) return undefined
    return Number(headers['content-length'] ?? 0)
  }

  /** True if only `receive` can read the body. */
  get isInSocket(): boolean {
    return this.#socketBody !== undefined
  }

  /** Lets `receive` read the body from the connection. Gives the size that `receive` reports. Rejects as `chunks`
   *  does. */
  async receive(
    receive: (body: ConnectionBody) => Promise<Received>,
    { maxBytes }: Pick<BodyOptions, 'maxBytes'> = {},
  ): Promise<number> {
    const socketBody = this.#socketBody
    if (socketBody === undefined) throw internal('the body is not in the connection')
    const { fd, head, sizeBytes, signal } = socketBody
    const onReceived = (count: number) => {
      this.receivedBytes = count
    }
    try {
      const received = await receive({ fd, head, sizeBytes, signal, maxBytes, idleMs: this.#idleMs, onReceived })
      socketBody.setRead(received.rest)
      return received.sizeBytes
    } catch (error) {
      throw error instanceof BodyFault ? bodyFaultError(error) : error
    }
  }

  /** The body as it arrives. Rejects with `cancelled` if the client leaves, and with a RegistryError if it sends
   *  nothing for too long or more than `maxBytes`. */
  async *chunks(options: BodyOptions = {}): AsyncGenerator<Buffer> {
    if (this.isInSocket) throw internal('the body is in the connection')
    if (this.#awaitsContinue) this.#response.writeContinue()
    this.#awaitsContinue = false
    for await (const chunk of readBody(this.#request, { idleMs: this.#idleMs, ...options })) {
      this.receivedBytes += chunk.length
      yield chunk
    }
  }

  /** The whole of a small body. Rejects as `chunks` does. */
  async readAll(options: BodyOptions): Promise<Buffer> {
    const chunks: Buffer[] = []
    for await (const chunk of this.chunks(options)) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  /** True if more than `limitBytes` of the body may still arrive, too much to read and throw away. */
  isUnread(limitBytes: number): boolean {
    if (this.#socketBody !== undefined) return this.#socketBody.rest === undefined
    if (this.#request.complete) return false
    return this.#awaitsContinue || (this.sizeBytes ?? Number.POSITIVE_INFINITY) > limitBytes
  }

  /** Throws away what the client still sends. Resolves when the client stops, at the latest after `lingerMs`. */
  discard(lingerMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(end, this.#awaitsContinue ? 0 : lingerMs)
      if (this.#socketBody === undefined) this.#request.once('end', end).once('close', end).resume()
      else void this.#socketBody.drain().then(end)
    })
  }
}
