/** HTTP to registries. Uses node:http(s), which delivers large bodies as plain buffers at full speed. Follows
 *  redirects without sending credentials to another host. Turns every failure of a connection into a BerthError whose
 *  `details.retryable` tells whether a retry makes sense. */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { type AbortOptions, errnoOf, isBerthError } from '../../../base/index.ts'
import { nodeHttp, nodeHttps } from '../../../http/index.ts'
import { AgentPool, type AgentPoolOptions } from './agents.ts'
import { connectionError, tooManyRedirects } from './registry-errors.ts'

/** A body in memory, or one that is opened when it is sent. */
export type RequestBody = string | Uint8Array | StreamBody

/** A body of known size that is read from a stream. */
export interface StreamBody {
  readonly sizeBytes: number
  open(): Readable
}

/** A request. */
export interface HttpRequest extends AbortOptions {
  readonly method?: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
  /** Default: the transport's limit. */
  readonly idleTimeoutMs?: number
  /** Accept any certificate, for registries that are configured as insecure. */
  readonly insecureTls?: boolean
  /** The registry for which the request is sent; see `AgentChoice`. */
  readonly registryHost?: string | undefined
}

/** A response whose body is still to be read. */
export interface HttpResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: IncomingMessage
  /** The URL after all redirects. */
  readonly url: string
}

/** The options of `HttpTransport`. Plain data. */
export interface HttpTransportOptions extends AgentPoolOptions {
  /** Default: `berth`. */
  readonly userAgent?: string
  /** A connection without a byte for this time is considered dead. Default: one minute. */
  readonly idleTimeoutMs?: number
}

const maxRedirects = 10
const redirectStatuses = new Set([301, 302, 303, 307, 308])

/** Sends requests over pooled connections. Idle ones don't keep the process alive. */
export class HttpTransport {
  readonly #options: HttpTransportOptions
  readonly #agents: AgentPool

  constructor(options: HttpTransportOptions = {}) {
    this.#options = options
    this.#agents = new AgentPool(options)
  }

  /** Sends a request and gives the response when its headers have arrived. The caller must read or destroy the body.
   *  Any status is a response; rejects with `unavailable` if the connection fails, with `cancelled` for the signal. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    let url = request.url
    let headers: Readonly<Record<string, string>> = { ...request.headers }
    for (let hop = 0; hop <= maxRedirects; hop += 1) {
      const body = await this.#sendTrusting({ ...request, url, headers })
      const status = body.statusCode ?? 0
      const { location } = body.headers
      if (!redirectStatuses.has(status) || location === undefined || !isSafe(request.method)) {
        return { status, headers: body.headers, body, url }
      }
      body.resume()
      const next = new URL(location, url).toString()
      if (new URL(next).host !== new URL(url).host || leavesTls(url, next)) headers = withoutCredentials(headers)
      url = next
    }
    throw tooManyRedirects(request.url)
  }

  /** Closes the idle connections. */
  close(): void {
    this.#agents.close()
  }

  /** Sends a request. If the server's certificate has an unknown issuer, sends it again with the system's authorities.
   *  Nothing of the request was sent before the certificate was refused. */
  async #sendTrusting(request: HttpRequest): Promise<IncomingMessage> {
    try {
      return await this.#sendOnce(request)
    } catch (error) {
      const code = isBerthError(error) ? errnoOf(error.cause) : undefined
      if (!this.#agents.widen(new URL(request.url), code)) throw error
      return await this.#sendOnce(request)
    }
  }

  #sendOnce(request: HttpRequest): Promise<IncomingMessage> {
    const url = new URL(request.url)
    const { method = 'GET', body, signal } = request
    const isTls = url.protocol === 'https:'
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const headers: Record<string, string> = { 'User-Agent': this.#options.userAgent ?? 'berth', ...request.headers }
    if (body !== undefined)
      headers['Content-Length'] = String(isStream(body) ? body.sizeBytes : Buffer.byteLength(body))
    const { insecureTls = false, registryHost } = request
    const agent = this.#agents.agentFor(url, { insecureTls, registryHost })
    const outgoing = (isTls ? nodeHttps() : nodeHttp).request(url, {
      method,
      headers,
      agent,
      ...(signal ? { signal } : {}),
    })
    outgoing.setTimeout(request.idleTimeoutMs ?? this.#options.idleTimeoutMs ?? 60_000, () => {
      outgoing.destroy(Object.assign(new Error('i/o timeout'), { code: 'ETIMEDOUT' }))
    })
    outgoing.on('response', resolve)
    outgoing.on('error', (error) =>
      reject(connectionError(error, method, request.url, signal, this.#agents.usesProxy(url))),
    )
    if (isStream(body)) sendStream(body.open(), outgoing)
    else outgoing.end(body)
    return promise
  }
}

function isStream(body: RequestBody | undefined): body is StreamBody {
  return typeof body === 'object' && 'open' in body
}

/** Sends a body at the pace of the connection. If the answer, for example a refusal, comes before the end, stops
 *  sending. */
function sendStream(source: Readable, outgoing: ClientRequest): void {
  source.on('error', (error) => outgoing.destroy(error))
  outgoing.on('close', () => source.destroy())
  outgoing.on('response', (answer) => {
    if (outgoing.writableEnded) return
    source.unpipe(outgoing)
    source.destroy()
    // The rest of the body is never sent, so the connection can't be reused.
    answer.on('close', () => outgoing.destroy())
  })
  source.pipe(outgoing)
}

/** Reads a small body. A body longer than `maxBytes` is cut off there. */
export async function readBody(body: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}

function isSafe(method = 'GET'): boolean {
  return method === 'GET' || method === 'HEAD'
}

function leavesTls(from: string, to: string): boolean {
  return from.startsWith('https:') && !to.startsWith('https:')
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  const secret = new Set(['authorization', 'cookie', 'proxy-authorization'])
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !secret.has(name.toLowerCase())))
}
