/** The connection under a request: reading its JSON body, and leaving HTTP for another protocol on it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { internal, invalidArgument } from '../../base/index.ts'
import { type JsonBodyOptions, readJsonBody } from '../bodies/json-body.ts'
import type { HijackedConnection } from './hijacked-connection.ts'
import { readTakenJson, skipTakenBody, switchProtocol, takeOver } from './take-over.ts'

/** A request, its response, and the socket if the parser has let go of it: the client asked for an upgrade, or the
 *  request is one after which the connection may carry raw bytes. */
export interface ConnectionParts {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly socket: Duplex | undefined
}

/** What a route can do with the connection itself. `upgrade`, `hijack` and `takeSocket` answer the request; they throw
 *  `internal` if it was answered already. */
export class ClientConnection {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #socket: Duplex | undefined
  #leftHttp = false
  #bodyRead = false

  constructor({ request, response, socket }: ConnectionParts) {
    this.#request = request
    this.#response = response
    this.#socket = socket
  }

  /** True when the connection no longer speaks HTTP. */
  get leftHttp(): boolean {
    return this.#leftHttp
  }

  /** The body as JSON; undefined when there is none. Throws `invalidArgument` with Docker's texts. */
  readJson(options?: JsonBodyOptions): Promise<unknown> {
    this.#bodyRead = true
    const { headers } = this.#request
    if (this.#socket === undefined) return readJsonBody(this.#request, headers, options)
    return readTakenJson(this.#socket, headers, options)
  }

  /** Answers `101` and gives the connection, which carries `protocol` from then on. Only for routes that take
   *  connections. Throws `invalidArgument` when the client did not ask for this protocol. */
  async upgrade(protocol: string): Promise<Duplex> {
    this.#refuseAnswered()
    const { headers } = this.#request
    const { upgrade = '' } = headers
    const socket = this.#socket
    if (socket === undefined || upgrade.toLowerCase() !== protocol)
      throw invalidArgument(`the request needs the header "Upgrade: ${protocol}"`)
    await skipTakenBody(socket, headers)
    this.#leftHttp = true
    return switchProtocol({ request: this.#request, response: this.#response, socket, protocol })
  }

  /** Answers `101 UPGRADED` (`200 OK` if the client did not ask for an upgrade) and gives the connection, which carries
   *  raw bytes from then on. A client that sends its request in chunks gets an ordinary answer; the body of its request
   *  is the input. */
  async hijack(contentType: string): Promise<HijackedConnection> {
    this.#refuseAnswered()
    if (this.#socket !== undefined && !this.#bodyRead) await skipTakenBody(this.#socket, this.#request.headers)
    this.#leftHttp = true
    return takeOver({ request: this.#request, response: this.#response, socket: this.#socket, contentType })
  }

  /** Gives the socket for a WebSocket handshake, which sends the answer. Only for routes that take connections. */
  takeSocket(): { readonly request: IncomingMessage; readonly socket: Duplex } {
    if (this.#socket === undefined || this.#isAnswered) throw internal('the connection cannot be taken')
    this.#leftHttp = true
    this.#response.detachSocket(this.#request.socket)
    return { request: this.#request, socket: this.#socket }
  }

  /** Closes the connection without completing the answer, so that the client sees a failure. */
  cut(): void {
    ;(this.#socket ?? this.#response).destroy()
  }

  get #isAnswered(): boolean {
    return this.#leftHttp || this.#response.headersSent
  }

  #refuseAnswered(): void {
    if (this.#isAnswered) throw internal('the request was answered already')
  }
}
