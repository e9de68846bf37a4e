/** One request and its answer, as the registry's routes see them. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { internal } from '../../../base/index.ts'
import { Query, type SocketBody } from '../../../http/index.ts'
import type { RegistryError } from '../model/registry-error.ts'
import type { RegistryLimits } from '../model/registry-limits.ts'
import type { ConnectionBody, Received } from '../storage/registry-storage.ts'
import { BodyFault } from '../storage/transfer/body-fault.ts'
import { bodyFaultError, readBody } from './request-body.ts'

export type AnswerHeaders = Readonly<Record<string, string | number>>

/** In what state a request came. */
export interface RequestArrival {
  /** The client waits to be asked for its body (`Expect: 100-continue`). */
  readonly awaitsContinue: boolean
  /** The body is still in the connection. */
  readonly socketBody?: SocketBody | undefined
}

export interface ExchangeOptions extends RequestArrival {
  readonly limits: RegistryLimits
}

export interface BodyOptions {
  readonly maxBytes?: number | undefined
  readonly tooLong?: (() => RegistryError) | undefined
}

export class RegistryExchange {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: Query
  /** The query as it was sent, without the question mark. */
  readonly queryText: string
  readonly startedAt = new Date()
  receivedBytes = 0
  sentBytes = 0
  /** Who the authorizer says it is. */
  user: string | undefined
  errorCode: string | undefined
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #options: ExchangeOptions
  #awaitsContinue: boolean

  constructor(request: IncomingMessage, response: ServerResponse, options: ExchangeOptions) {
    this.method = request.method ?? 'GET'
    const url = request.url ?? '/'
    this.path = pathOf(url)
    this.queryText = url.slice(this.path.length + 1)
    this.query = new Query(this.queryText)
    this.#request = request
    this.#response = response
    this.#options = options
    this.#awaitsContinue = options.awaitsContinue
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers
  }

  get isHead(): boolean {
    return this.method === 'HEAD'
  }

  get remoteAddress(): string {
    return this.#request.socket.remoteAddress ?? ''
  }

  get isTls(): boolean {
    return (this.#request.socket as Partial<TLSSocket>).encrypted === true
  }

  /** Common name of the client's certificate, if it was asked for one and gave a good one. */
  get clientCertificateName(): string | undefined {
    const socket = this.#request.socket as Partial<TLSSocket>
    if (socket.authorized !== true) return undefined
    const name: unknown = socket.getPeerCertificate?.().subject?.CN
    return typeof name === 'string' ? name : undefined
  }

  get response(): ServerResponse {
    return this.#response
  }

  get request(): IncomingMessage {
    return this.#request
  }

  /** Bytes that the client says it sends; undefined when it sends them in chunks. */
  get contentLength(): number | undefined {
    if (this.headers['transfer-encoding'] !== undefined) return undefined
    return Number(this.headers['content-length'] ?? 0)
  }

  /** True when the body is to be had by `receiveBody` only. */
  get isBodyInSocket(): boolean {
    return this.#options.socketBody !== undefined
  }

  /** Has the body read from the connection by `receive`. Gives the size that this tells; fails as `body` does. */
  async receiveBody(
    receive: (body: ConnectionBody) => Promise<Received>,
    { maxBytes }: Pick<BodyOptions, 'maxBytes'> = {},
  ): Promise<number> {
    const { socketBody, limits } = this.#options
    if (socketBody === undefined) throw internal('the body is not in the connection')
    const { fd, head, sizeBytes, signal } = socketBody
    const onReceived = (count: number) => {
      this.receivedBytes = count
    }
    try {
      const received = await receive({ fd, head, sizeBytes, signal, maxBytes, idleMs: limits.idleMs, onReceived })
      socketBody.setRead(received.rest)
      return received.sizeBytes
    } catch (error) {
      throw error instanceof BodyFault ? bodyFaultError(error) : error
    }
  }

  /** The body as it arrives. */
  async *body(options: BodyOptions = {}): AsyncGenerator<Buffer> {
    if (this.isBodyInSocket) throw internal('the body is in the connection')
    if (this.#awaitsContinue) this.#response.writeContinue()
    this.#awaitsContinue = false
    for await (const chunk of readBody(this.#request, { idleMs: this.#options.limits.idleMs, ...options })) {
      this.receivedBytes += chunk.length
      yield chunk
    }
  }

  /** The whole of a small body. */
  async readAll(options: BodyOptions): Promise<Buffer> {
    const chunks: Buffer[] = []
    for await (const chunk of this.body(options)) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  /** Answers without a body. */
  sendEmpty(status: number, headers: AnswerHeaders = {}): void {
    const hasNone = status === 204 || status === 304
    this.#response.writeHead(status, { ...headers, ...(hasNone ? {} : { 'Content-Length': 0 }) })
    this.#response.end()
  }

  /** Answers with bytes that are here; HEAD gets the headers only. */
  sendBytes(status: number, bytes: Buffer, headers: AnswerHeaders): void {
    this.#response.writeHead(status, { 'Content-Length': bytes.length, ...headers })
    if (this.isHead) {
      this.#response.end()
      return
    }
    this.sentBytes += bytes.length
    this.#response.end(bytes)
  }

  /** Answers with JSON. */
  sendJson(status: number, value: unknown, headers: AnswerHeaders = {}): void {
    const bytes = Buffer.from(JSON.stringify(value))
    this.sendBytes(status, bytes, { 'Content-Type': 'application/json; charset=utf-8', ...headers })
  }

  /** True when so much of the body is still to come that reading it for nothing would be a waste, or when nobody knows
   *  whether it will come. */
  hasUnreadBody(limitBytes: number): boolean {
    const { socketBody } = this.#options
    if (socketBody !== undefined) return socketBody.rest === undefined
    if (this.#request.complete) return false
    return this.#awaitsContinue || (this.contentLength ?? Number.POSITIVE_INFINITY) > limitBytes
  }

  /** Answers with JSON although the client may still be sending, and closes the connection when it has stopped or
   *  some time has passed: one closed on bytes that nobody read is reset, and the answer lost with it. */
  sendLastJson(status: number, value: unknown, headers: AnswerHeaders, lingerMs: number): void {
    const bytes = Buffer.from(JSON.stringify(value))
    const type = { 'Content-Type': 'application/json; charset=utf-8' }
    this.#response.shouldKeepAlive = false
    this.#response.writeHead(status, { 'Content-Length': bytes.length, ...type, ...headers })
    if (!this.isHead) this.#response.write(bytes)
    const end = () => {
      clearTimeout(timer)
      this.#response.end()
    }
    const timer = setTimeout(end, this.#awaitsContinue ? 0 : lingerMs)
    const { socketBody } = this.#options
    if (socketBody === undefined) this.#request.once('end', end).once('close', end).resume()
    else void socketBody.drain().then(end)
  }
}

/** A request's URL without the query. */
export function pathOf(url: string): string {
  const mark = url.indexOf('?')
  return mark === -1 ? url : url.slice(0, mark)
}
