/** The client's half: reaching an endpoint, and requests that turn into raw streams. */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { connect as connectPlain, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { type AbortOptions, BerthError, errnoOf, internal, messageOf } from '../base/index.ts'
import { type Endpoint, formatEndpoint, type TcpEndpoint } from './endpoint.ts'
import { readAll } from './json-body.ts'

const maxErrorBodyBytes = 1024 * 1024

/** Opens a connection, half-open as raw streams need it: the peer's end doesn't close our sending side. */
export function connectTo(endpoint: Endpoint): Socket {
  if (endpoint.kind === 'unix') return connectPlain({ path: endpoint.path, allowHalfOpen: true })
  const host = endpoint.host === '' ? '127.0.0.1' : endpoint.host
  if (endpoint.tls === undefined) return connectPlain({ host, port: endpoint.port, allowHalfOpen: true })
  return connectSecure(endpoint, host)
}

/** Options for `http.request` that reach the endpoint. Give an agent made by `createAgent` for kept connections. */
export function requestOptionsFor(endpoint: Endpoint): RequestOptions {
  return { host: hostHeader(endpoint), createConnection: () => connectTo(endpoint) }
}

/** An agent that keeps connections to one endpoint. */
export function createAgent(endpoint: Endpoint): Agent {
  const agent = new Agent({ keepAlive: true })
  return Object.assign(agent, { createConnection: () => connectTo(endpoint) })
}

export interface HijackRequest extends AbortOptions {
  readonly method: 'POST' | 'GET'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** JSON text, sent with its length before the upgrade. */
  readonly body?: string | undefined
}

/** What became of a hijack request: a raw stream, or an answer as any other (an error, or a detached start). */
export type HijackAnswer =
  | { readonly kind: 'stream'; readonly headers: IncomingHttpHeaders; readonly stream: Duplex }
  | { readonly kind: 'answer'; readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }

/** Sends a request with `Upgrade: tcp` on a connection of its own. `stream` is half-open: end it to end the
 *  remote program's input, read on for its output. */
export function hijackRequest(endpoint: Endpoint, options: HijackRequest): Promise<HijackAnswer> {
  const { method, path, headers = {}, body, signal } = options
  return new Promise((resolve, reject) => {
    const outgoing = request({
      ...requestOptionsFor(endpoint),
      agent: false,
      method,
      path,
      ...(signal === undefined ? {} : { signal }),
      headers: {
        ...headers,
        Connection: 'Upgrade',
        Upgrade: 'tcp',
        'Content-Length': Buffer.byteLength(body ?? ''),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
    })
    outgoing.once('upgrade', (response: IncomingMessage, stream: Duplex, head: Buffer) => {
      if (head.length > 0) stream.unshift(head)
      resolve({ kind: 'stream', headers: response.headers, stream })
    })
    outgoing.once('response', (response) => {
      readAll(response, maxErrorBodyBytes).then(
        (bytes) =>
          resolve({ kind: 'answer', status: response.statusCode ?? 0, headers: response.headers, body: bytes }),
        reject,
      )
    })
    outgoing.once('error', (error) => reject(connectionError(endpoint, error)))
    outgoing.end(body)
  })
}

/** The error of a connection that failed: `unavailable` when nobody listens, with an address in its text. */
export function connectionError(endpoint: Endpoint, error: unknown): BerthError {
  const code = errnoOf(error)
  const text = `could not reach ${formatEndpoint(endpoint)}: ${messageOf(error)}`
  if (code === 'ABORT_ERR') return new BerthError('cancelled', text, { cause: error })
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return new BerthError('unavailable', text, { cause: error })
  if (code === 'EACCES' || code === 'EPERM') return new BerthError('forbidden', text, { cause: error })
  return internal(text, { cause: error })
}

function hostHeader(endpoint: Endpoint): string {
  return endpoint.kind === 'unix' ? 'berth' : endpoint.host
}

function connectSecure({ port, tls }: TcpEndpoint, host: string): Socket {
  // Node passes the option on to the socket; its types leave it out.
  const options: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
    host,
    port,
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: tls?.verify ?? true,
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
    allowHalfOpen: true,
  }
  return connectTls(options)
}
