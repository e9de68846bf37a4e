/** The head of a request: its line, its headers and the connection that it came on. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { Query } from '../../../http/index.ts'

export class RequestHead {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: Query
  /** The query as the client sent it, without the question mark. */
  readonly queryText: string
  readonly headers: IncomingHttpHeaders
  /** For example '1.1'. */
  readonly httpVersion: string
  readonly #socket: Partial<TLSSocket>

  constructor(request: IncomingMessage) {
    this.method = request.method ?? 'GET'
    const url = request.url ?? '/'
    this.path = pathOf(url)
    this.queryText = url.slice(this.path.length + 1)
    this.query = new Query(this.queryText)
    this.headers = request.headers
    this.httpVersion = request.httpVersion
    this.#socket = request.socket as Partial<TLSSocket>
  }

  get isHead(): boolean {
    return this.method === 'HEAD'
  }

  /** The client's address; '' once the connection is closed. */
  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? ''
  }

  get isTls(): boolean {
    return this.#socket.encrypted === true
  }

  /** Common name of the client's certificate. Undefined if there is none, or if it was not verified. */
  get clientCertificateName(): string | undefined {
    if (this.#socket.authorized !== true) return undefined
    const name: unknown = this.#socket.getPeerCertificate?.().subject?.CN
    return typeof name === 'string' ? name : undefined
  }
}

/** A request's URL without the query. */
export function pathOf(url: string): string {
  const mark = url.indexOf('?')
  return mark === -1 ? url : url.slice(0, mark)
}
