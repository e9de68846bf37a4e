/** One request and its answer. Routes see this and never Node's own objects. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { BerthError, internal, invalidArgument } from '../base/index.ts'
import { type JsonBodyOptions, readJsonBody } from './bodies/json-body.ts'
import type { HijackedConnection } from './connections/hijacked-connection.ts'
import { readTakenJson, skipTakenBody, switchProtocol, takeOver } from './connections/take-over.ts'

/** Header names and values of an answer. */
export type AnswerHeaders = Readonly<Record<string, string>>

/** A socket that the parser has let go of, because the client asked for an upgrade or may want to speak raw. */
export interface TakenSocket {
  readonly socket: Duplex
}

export class Exchange {
  readonly method: string
  /** Path and query as the client sent them. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #taken: TakenSocket | undefined
  #abort: AbortController | undefined
  #hijacked = false
  #bodyRead = false

  constructor(request: IncomingMessage, response: ServerResponse, taken?: TakenSocket) {
    this.method = request.method ?? 'GET'
    this.url = request.url ?? '/'
    this.headers = request.headers
    this.#request = request
    this.#response = response
    this.#taken = taken
  }

  /** Aborted when the client goes away before its answer is complete. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController()
      this.#abort = abort
      const check = () => {
        if (!this.#response.writableFinished) {
          abort.abort(new BerthError('cancelled', 'the client closed the connection'))
        }
      }
      const carrier = this.#taken?.socket ?? this.#response
      if (carrier.destroyed) check()
      else carrier.once('close', check)
    }
    return this.#abort.signal
  }

  /** True when the client went away before the answer was complete. */
  get isClientGone(): boolean {
    return (this.#taken?.socket ?? this.#response).destroyed && !this.#response.writableFinished
  }

  /** True once a status was sent: no error status can follow. */
  get isAnswered(): boolean {
    return this.#hijacked || this.#response.headersSent
  }

  /** The body as it arrives. Not for routes that take the connection over. */
  get body(): Readable {
    return this.#request
  }

  /** The body as JSON; undefined when there is none. */
  readJson(options?: JsonBodyOptions): Promise<unknown> {
    this.#bodyRead = true
    if (this.#taken === undefined) return readJsonBody(this.#request, this.headers, options)
    return readTakenJson(this.#taken.socket, this.headers, options)
  }

  /** Sets a header that whatever answer follows will carry. */
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

  /** Sends the headers now and gives the stream that the body goes to. */
  openStream(status: number, contentType: string): ServerResponse {
    this.#response.writeHead(status, { 'Content-Type': contentType })
    this.#response.flushHeaders()
    return this.#response
  }

  /** Answers `101` and gives the connection itself, on which another protocol is spoken from here on. Only for routes
   *  that take connections. Throws `invalidArgument` when the client didn't ask for it. */
  async upgrade(protocol: string): Promise<Duplex> {
    if (this.isAnswered) throw internal('the request was answered already')
    const { upgrade = '' } = this.headers
    if (this.#taken === undefined || upgrade.toLowerCase() !== protocol)
      throw invalidArgument(`the request needs the header "Upgrade: ${protocol}"`)
    await skipTakenBody(this.#taken.socket, this.headers)
    this.#hijacked = true
    return switchProtocol({ request: this.#request, response: this.#response, socket: this.#taken.socket, protocol })
  }

  /** Answers `101 UPGRADED` (or `200 OK` to a client that didn't ask for an upgrade) and leaves HTTP:
   *  the connection carries raw bytes from here on. A client that sends its request in chunks gets
   *  an ordinary answer, whose request body is the input. */
  async hijack(contentType: string): Promise<HijackedConnection> {
    if (this.isAnswered) throw internal('the request was answered already')
    if (this.#taken !== undefined && !this.#bodyRead) await skipTakenBody(this.#taken.socket, this.headers)
    this.#hijacked = true
    return takeOver({ request: this.#request, response: this.#response, socket: this.#taken?.socket, contentType })
  }

  /** Ends the connection without another word. */
  cut(): void {
    ;(this.#taken?.socket ?? this.#response).destroy()
  }

  /** The socket for a websocket handshake, which answers by itself. */
  takeSocket(): { readonly request: IncomingMessage; readonly socket: Duplex } {
    if (this.#taken === undefined || this.isAnswered) throw internal('the connection cannot be taken')
    this.#hijacked = true
    this.#response.detachSocket(this.#request.socket)
    return { request: this.#request, socket: this.#taken.socket }
  }

  #send(status: number, contentType: string, text: string): void {
    const body = Buffer.from(text)
    this.#response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': body.length })
    this.#response.end(body)
  }
}
