/** Sends all requests to the daemon; every call of the API is a line on top of `request()`. Statuses of 400 and more
 *  become a BerthError here and nowhere else. A connection that a complete answer left open carries the next
 *  request. */
import type { Socket } from 'node:net'
import { type AbortOptions, BerthError, internal, isKind } from '../../base/index.ts'
import { openConnection } from './connect.ts'
import type { Endpoint, SshEndpoint, TlsFiles } from './endpoint.ts'
import { type ResponseHead, readBody, readHead } from './http-response.ts'
import { responseError } from './response-error.ts'
import { type OpenTunnel, sshArguments, type Tunnel, tunnelError } from './tunnel.ts'

/** How to reach a daemon. */
export interface TransportOptions {
  readonly endpoint: Endpoint
  readonly tls?: TlsFiles | undefined
  /** Pins the API version (`1.41`). Without it, the paths have no version and the daemon uses its newest. */
  readonly apiVersion?: string | undefined
  readonly userAgent?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Starts ssh. Without it, daemons behind ssh can't be reached. */
  readonly openTunnel?: OpenTunnel | undefined
  /** Called once when the daemon does not listen. When it resolves, the connection is tried again. */
  readonly onUnreachable?: (() => Promise<void>) | undefined
}

/** The values of a query string. Undefined and false are left out; an array repeats its name. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** The parts of a request besides its method and path. */
export interface RequestOptions extends AbortOptions {
  readonly query?: Query | undefined
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent unchanged, in chunks. */
  readonly body?: AsyncIterable<Uint8Array> | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** An answer whose body is still unread. The caller must use one of the readers, or `discard`. */
export interface ApiResponse {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  /** The body as it arrives. Leaving the loop early closes the connection. */
  chunks(): AsyncGenerator<Buffer, void, void>
  bytes(): Promise<Buffer>
  json<T>(): Promise<T>
  discard(): Promise<void>
}

/** Methods that only read. If such a request got no answer on a kept connection, it is sent again on a new one. PUT
 *  and DELETE are idempotent too (RFC 9110, section 9.2.2), but their objects have names: if the daemon did carry
 *  the first request out, the second would meet no object, or another one of the same name. */
const repeatable: readonly string[] = ['GET', 'HEAD']

/** A connection that left HTTP after `101 Switching Protocols` (or an old daemon's 200): raw bytes in both
 *  directions. */
export interface HijackedConnection {
  readonly socket: Socket
  /** Bytes that were read together with the head. */
  readonly head: Buffer
}

/** The connections to one daemon. */
export class Transport {
  readonly #options: TransportOptions
  readonly #open = new Set<Socket>()
  readonly #tunnels = new WeakMap<Socket, Tunnel>()
  #idle: Socket | undefined
  /** Drops a kept connection that the daemon closed, or on which it sent something without a request. */
  readonly #dropIdle = (): void => {
    this.#idle?.destroy()
    this.#idle = undefined
  }
  #unreachableHandled = false

  constructor(options: TransportOptions) {
    this.#options = options
  }

  /** The daemon's address, as messages show it. */
  get url(): string {
    return this.#options.endpoint.url
  }

  /** Sends a request; resolves when the head of the answer is read. Throws a BerthError for a status of 400 or more. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<ApiResponse> {
    const { socket, head } = await this.#exchange(method, path, options, {})
    const response = this.#response(socket, head, method)
    if (head.status >= 400) throw responseError(head, await response.bytes())
    return response
  }

  /** Sends a request that turns the connection into a raw stream. */
  async hijack(
    method: string,
    path: string,
    { upgrade: protocol = 'tcp', ...options }: RequestOptions & { readonly upgrade?: string } = {},
  ): Promise<HijackedConnection> {
    const upgrade = { connection: 'Upgrade', upgrade: protocol }
    const { socket, head } = await this.#exchange(method, path, options, upgrade)
    if (head.status >= 400) throw responseError(head, await this.#response(socket, head, method).bytes())
    return { socket, head: head.rest }
  }

  /** Opens a new connection, without sending anything on it. */
  async connect(): Promise<Socket> {
    return await this.#connect()
  }

  /** Closes every connection. Calls in progress fail. */
  close(): void {
    this.#idle = undefined
    for (const socket of this.#open) socket.destroy()
    this.#open.clear()
  }

  async #exchange(
    method: string,
    path: string,
    options: RequestOptions,
    extraHeaders: Readonly<Record<string, string>>,
  ): Promise<{ socket: Socket; head: ResponseHead }> {
    const { signal } = options
    signal?.throwIfAborted()
    const reused = options.body === undefined ? this.#takeIdle() : undefined
    const socket = reused ?? (await this.#connect())
    if (signal !== undefined) destroyOnAbort(socket, signal)
    try {
      return { socket, head: await this.#send(socket, method, path, options, extraHeaders) }
    } catch (error) {
      socket.destroy()
      signal?.throwIfAborted()
      // The server may close a kept connection at the moment when it is used again.
      const isUnanswered = isKind(error, 'unavailable') && error.details.nothingReceived === true
      if (reused !== undefined && isUnanswered && repeatable.includes(method)) {
        return this.#exchange(method, path, options, extraHeaders)
      }
      throw await this.#explained(socket, error)
    }
  }

  async #send(
    socket: Socket,
    method: string,
    path: string,
    { query, json, body, headers }: RequestOptions,
    extraHeaders: Readonly<Record<string, string>>,
  ): Promise<ResponseHead> {
    const payload = json === undefined ? undefined : Buffer.from(JSON.stringify(json))
    const all: Record<string, string> = {
      // Behind ssh there may be a TCP socket on loopback, which serves requests for loopback only.
      host:
        this.#options.endpoint.kind === 'tcp'
          ? this.#options.endpoint.url.replace(/^tcp:\/\/|\/.*$/g, '')
          : 'localhost',
      'user-agent': this.#options.userAgent ?? 'berth-client',
      ...this.#options.headers,
      ...(payload === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(payload.length) }),
      ...(body === undefined ? {} : { 'transfer-encoding': 'chunked', 'content-type': 'application/x-tar' }),
      ...(payload === undefined && body === undefined && method === 'POST' ? { 'content-length': '0' } : {}),
      ...headers,
      ...extraHeaders,
    }
    let text = `${method} ${this.#target(path, query)} HTTP/1.1\r\n`
    for (const [name, value] of Object.entries(all)) text += `${name}: ${value}\r\n`
    text += '\r\n'
    socket.write(payload === undefined ? text : Buffer.concat([Buffer.from(text, 'utf8'), payload]))
    if (body === undefined) return readHead(socket)
    // The server may refuse before it has read everything. Its answer counts then, not the failed write.
    const writing = settled(writeChunked(socket, body)).then((written) => {
      // The body failed on this side: the server would wait forever for the rest of it.
      if (written.failed && socket.writable) socket.destroy()
      return written
    })
    const [head, written] = await Promise.all([settled(readHead(socket)), writing])
    if (written.failed && (head.failed || head.value.status < 400)) throw written.error
    if (head.failed) throw head.error
    return head.value
  }

  #target(path: string, query: Query | undefined): string {
    const { apiVersion, endpoint } = this.#options
    const base = endpoint.kind === 'tcp' ? endpoint.basePath : ''
    return `${base}${apiVersion === undefined ? '' : `/v${apiVersion}`}${path}${formatQuery(query)}`
  }

  #response(socket: Socket, head: ResponseHead, method: string): ApiResponse {
    const bodiless = method === 'HEAD' || head.status === 204 || head.status === 304
    const onComplete = (reusable: boolean): void => {
      if (reusable) this.#release(socket)
      else socket.destroy()
    }
    async function* chunks(): AsyncGenerator<Buffer, void, void> {
      if (bodiless) {
        onComplete(head.headers.get('connection')?.toLowerCase() !== 'close')
        return
      }
      let complete = false
      try {
        yield* readBody(socket, head, (reusable) => {
          complete = true
          onComplete(reusable)
        })
      } finally {
        if (!complete) socket.destroy()
      }
    }
    async function bytes(): Promise<Buffer> {
      const parts: Buffer[] = []
      for await (const chunk of chunks()) parts.push(chunk)
      return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    }
    return {
      status: head.status,
      headers: head.headers,
      chunks,
      bytes,
      async json<T>() {
        return JSON.parse((await bytes()).toString('utf8')) as T
      },
      async discard() {
        await bytes()
      },
    }
  }

  async #openTunnel(endpoint: SshEndpoint): Promise<Socket> {
    const { openTunnel } = this.#options
    if (openTunnel === undefined) throw internal(`this program cannot start ssh: ${endpoint.url}`)
    const tunnel = await openTunnel('ssh', sshArguments(endpoint))
    this.#tunnels.set(tunnel.socket, tunnel)
    return tunnel.socket
  }

  /** The error to report. A tunnel that ended before any byte came out of it gets ssh's own explanation. */
  async #explained(socket: Socket, error: unknown): Promise<unknown> {
    const { endpoint } = this.#options
    const tunnel = this.#tunnels.get(socket)
    if (tunnel === undefined || endpoint.kind !== 'ssh') return error
    const isSilent = isKind(error, 'unavailable') && (error.details.nothingReceived === true || !socket.writable)
    return isSilent ? tunnelError(endpoint, tunnel, error) : error
  }

  #takeIdle(): Socket | undefined {
    const socket = this.#idle
    this.#idle = undefined
    if (socket === undefined) return undefined
    socket.off('readable', this.#dropIdle)
    if (socket.destroyed) return undefined
    socket.ref()
    return socket
  }

  #release(socket: Socket): void {
    if (this.#idle !== undefined || socket.destroyed) {
      socket.destroy()
      return
    }
    this.#idle = socket
    socket.on('readable', this.#dropIdle)
    socket.unref()
  }

  async #connect(): Promise<Socket> {
    const { endpoint, tls, onUnreachable } = this.#options
    const connect = async (): Promise<Socket> => {
      const socket = endpoint.kind === 'ssh' ? await this.#openTunnel(endpoint) : await openConnection(endpoint, tls)
      this.#open.add(socket)
      socket.once('close', () => this.#open.delete(socket))
      return socket
    }
    try {
      return await connect()
    } catch (error) {
      const unreachable =
        isKind(error, 'unavailable') && ['ENOENT', 'ECONNREFUSED'].includes(String(error.details.code))
      if (!unreachable || onUnreachable === undefined || this.#unreachableHandled) throw error
      this.#unreachableHandled = true
      await onUnreachable()
      return connect()
    }
  }
}

function destroyOnAbort(socket: Socket, signal: AbortSignal): void {
  const onAbort = (): void => void socket.destroy()
  signal.addEventListener('abort', onAbort, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', onAbort))
}

/** Gives `?a=1&b=x`, or an empty text. */
export function formatQuery(query: Query | undefined): string {
  if (query === undefined) return ''
  const parts: string[] = []
  const add = (name: string, value: string): void => {
    parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  }
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === false) continue
    if (typeof value === 'object') for (const item of value) add(name, item)
    else add(name, value === true ? '1' : String(value))
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}

async function writeChunked(socket: Socket, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    if (chunk.length === 0) continue
    if (socket.destroyed || !socket.writable) throw new BerthError('unavailable', 'the daemon closed the connection')
    socket.cork()
    socket.write(`${chunk.length.toString(16)}\r\n`)
    socket.write(chunk)
    const more = socket.write('\r\n')
    socket.uncork()
    if (!more) await drained(socket)
  }
  socket.write('0\r\n\r\n')
}

/** Resolves when the socket can take more, or is closed. */
export function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      socket.off('drain', finish)
      socket.off('close', finish)
      resolve()
    }
    socket.on('drain', finish)
    socket.on('close', finish)
  })
}

type Settled<T> = { readonly failed: false; readonly value: T } | { readonly failed: true; readonly error: unknown }

async function settled<T>(work: Promise<T>): Promise<Settled<T>> {
  try {
    return { failed: false, value: await work }
  } catch (error) {
    return { failed: true, error }
  }
}
