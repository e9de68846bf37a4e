/** HTTP to registries, over node:http(s) because big bodies arrive there as plain buffers at full speed.
 *  Follows redirects without ever giving credentials to another host, and turns every failure of the
 *  connection into a BerthError whose `details.retryable` says whether a second try makes sense. */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { type AbortOptions, errnoOf, isBerthError } from '../../../base/index.ts'
import { nodeHttp, nodeHttps } from '../../../http/index.ts'
import { AgentPool, type AgentPoolOptions } from './agents.ts'
import { connectionError, tooManyRedirects } from './registry-errors.ts'

/** A body in memory, or one that is opened when it is sent. */
export type RequestBody = string | Uint8Array | StreamBody

/** A body of known size that comes from elsewhere. */
export interface StreamBody {
  readonly sizeBytes: number
  open(): Readable
}

export interface HttpRequest extends AbortOptions {
  readonly method?: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
  /** In place of the transport's own limit. */
  readonly idleTimeoutMs?: number
  /** Accept any certificate: the registry was configured as insecure. */
  readonly insecureTls?: boolean
  /** The registry for which this is sent: see `AgentChoice`. */
  readonly registryHost?: string | undefined
}

export interface HttpResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: IncomingMessage
  /** Where it came from in the end. */
  readonly url: string
}

export interface HttpTransportOptions extends AgentPoolOptions {
  readonly userAgent?: string
  /** No byte for this long means that the connection is dead. */
  readonly idleTimeoutMs?: number
}

const maxRedirects = 10
const redirectStatuses = new Set([301, 302, 303, 307, 308])

/** A pool of connections. Idle ones do not keep the process alive. */
export class HttpTransport {
  readonly #options: HttpTransportOptions
  readonly #agents: AgentPool

  constructor(options: HttpTransportOptions = {}) {
    this.#options = options
    this.#agents = new AgentPool(options)
  }

  /** Sends a request and gives the response once its headers are there; the caller reads or destroys the body. */
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

  /** Sends once more when the issuer of the other side's certificate was not known but may be. Nothing of the request
   *  went out before that was clear. */
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

/** Passes the body on at the pace of the connection. An answer that comes before its end (a refusal) ends it. */
function sendStream(source: Readable, outgoing: ClientRequest): void {
  source.on('error', (error) => outgoing.destroy(error))
  outgoing.on('close', () => source.destroy())
  outgoing.on('response', (answer) => {
    if (outgoing.writableEnded) return
    source.unpipe(outgoing)
    source.destroy()
    // The rest of the body is never sent, so the connection is of no more use.
    answer.on('close', () => outgoing.destroy())
  })
  source.pipe(outgoing)
}

/** Reads a small body whole. What is longer than `maxBytes` is cut off there. */
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
