/** One request and its answer. Routes use this class instead of Node's own objects. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { BerthError } from '../base/index.ts'
import type { JsonBodyOptions } from './bodies/json-body.ts'
import { ClientConnection, type ConnectionParts } from './connections/client-connection.ts'

/** Header names and values of an answer. */
export type AnswerHeaders = Readonly<Record<string, string>>

/** One request and its answer. The `send…` methods and `openStream` answer with HTTP; `connection` leaves HTTP. */
export class Exchange {
  readonly method: string
  /** Path and query as the client sent them. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly connection: ClientConnection
  readonly #body: Readable
  readonly #response: ServerResponse
  /** Closes when the client has gone. */
  readonly #carrier: Duplex | ServerResponse
  #abort: AbortController | undefined

  constructor(parts: ConnectionParts) {
    const { request, response, socket } = parts
    this.method = request.method ?? 'GET'
    this.url = request.url ?? '/'
    this.headers = request.headers
    this.connection = new ClientConnection(parts)
    this.#body = request
    this.#response = response
    this.#carrier = socket ?? response
  }

  /** Aborted when the client closes the connection before its answer is complete. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController()
      this.#abort = abort
      const check = () => {
        if (!this.#response.writableFinished) {
          abort.abort(new BerthError('cancelled', 'the client closed the connection'))
        }
      }
      if (this.#carrier.destroyed) check()
      else this.#carrier.once('close', check)
    }
    return this.#abort.signal
  }

  /** True when the client closed the connection before the answer was complete. */
  get isClientGone(): boolean {
    return this.#carrier.destroyed && !this.#response.writableFinished
  }

  /** True when a status has been sent: an error status can no longer follow. */
  get isAnswered(): boolean {
    return this.connection.leftHttp || this.#response.headersSent
  }

  /** The body as it arrives. Not for routes that take the connection over. */
  get body(): Readable {
    return this.#body
  }

  /** The body as JSON; undefined when there is none. Throws `invalidArgument` with Docker's texts. */
  readJson(options?: JsonBodyOptions): Promise<unknown> {
    return this.connection.readJson(options)
  }

  /** Sets a header of the answer that will follow. */
  setHeader(name: string, value: string): void {
    this.#response.setHeader(name, value)
  }

  /** Answers with JSON. */
  sendJson(status: number, value: unknown): void {
    this.#send(status, 'application/json', `${JSON.stringify(value)}\n`)
  }

  /** Answers with text. */
  sendText(status: number, text: string): void {
    this.#send(status, 'text/plain; charset=utf-8', text)
  }

  /** Answers without a body. */
  sendEmpty(status: number, headers: AnswerHeaders = {}): void {
    this.#response.writeHead(status, headers)
    this.#response.end()
  }

  /** Sends the headers at once and gives the stream for the body. */
  openStream(status: number, contentType: string): ServerResponse {
    this.#response.writeHead(status, { 'Content-Type': contentType })
    this.#response.flushHeaders()
    return this.#response
  }

  #send(status: number, contentType: string, text: string): void {
    const body = Buffer.from(text)
    this.#response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': body.length })
    this.#response.end(body)
  }
}
