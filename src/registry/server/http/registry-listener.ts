/** A socket that a registry answers on. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import { conflict, errnoOf, internal, settlesWithin } from '../../../base/index.ts'
import { nodeHttp, nodeHttps, SocketBodies } from '../../../http/index.ts'
import type { RegistryLimits } from '../model/registry-limits.ts'
import type { RequestArrival } from './incoming-body.ts'

export interface ListenAddress {
  /** Default: 127.0.0.1. '' means every address. */
  readonly host?: string | undefined
  /** 0 chooses one. */
  readonly port: number
  /** Certificate and key (and `ca`, `requestCert`, `rejectUnauthorized` for clients' certificates) make it HTTPS. */
  readonly tls?: TlsOptions | undefined
}

export interface RegistryListener {
  readonly host: string
  /** The one that was chosen when 0 was asked for. */
  readonly port: number
  /** What clients put before `/v2/`. */
  readonly url: string
  /** Uses other certificates for connections from now on. */
  setTls(options: SecureContextOptions): void
  /** Takes no more connections, lets requests that run go on for a while, then cuts them off. */
  close(graceMs?: number): Promise<void>
}

/** What answers the requests. */
export interface RequestTaker {
  handle(request: IncomingMessage, response: ServerResponse, arrival: RequestArrival): void
  /** True for requests that `handle` takes with the body still in the connection. */
  takesSocketBody(request: IncomingMessage): boolean
}

const backlog = 1024
const defaultGraceMs = 10_000
const sweepMs = 50
/** Bodies are passed on in pieces of about this size. */
const streamBytes = 128 * 1024

/** Listens on an address. */
export async function listenRegistry(
  address: ListenAddress,
  limits: RegistryLimits,
  taker: RequestTaker,
): Promise<RegistryListener> {
  const server = makeServer(address, limits)
  server.on('request', (request, response) => taker.handle(request, response, { awaitsContinue: false }))
  // The body of a request that will be refused is never sent.
  server.on('checkContinue', (request, response) => taker.handle(request, response, { awaitsContinue: true }))
  const bodies =
    address.tls === undefined
      ? new SocketBodies(server, {
          wants: (request) => taker.takesSocketBody(request),
          handle: (request, response, socketBody) =>
            taker.handle(request, response, { awaitsContinue: false, socketBody }),
          keepAliveMs: limits.keepAliveMs,
        })
      : undefined
  const host = address.host ?? '127.0.0.1'
  await bind(server, host, address.port)
  const { port } = server.address() as AddressInfo
  const scheme = address.tls === undefined ? 'http' : 'https'
  const urlHost = host === '' || host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return {
    host,
    port,
    url: `${scheme}://${urlHost.includes(':') ? `[${urlHost}]` : urlHost}:${port}`,
    setTls: (options) => {
      if (address.tls !== undefined) (server as HttpsServer).setSecureContext(options)
    },
    close: (graceMs = defaultGraceMs) => closeServer(server, bodies, graceMs),
  }
}

function makeServer({ tls }: ListenAddress, limits: RegistryLimits): Server {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    connectionsCheckingInterval: Math.max(100, Math.min(5_000, Math.floor(limits.headersMs / 2))),
    // Bodies may take as long as they move: see RegistryLimits.idleMs.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveMs,
    highWaterMark: streamBytes,
    // A request to speak another protocol is an ordinary one: none is spoken.
    shouldUpgradeCallback: () => false,
  }
  if (tls === undefined) return nodeHttp.createServer(options)
  return nodeHttps().createServer({ minVersion: 'TLSv1.2', ...tls, ...options })
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      const text = `could not listen on ${host}:${port}: ${error.message}`
      reject(errnoOf(error) === 'EADDRINUSE' ? conflict(text, { cause: error }) : internal(text, { cause: error }))
    }
    server.once('error', fail)
    server.listen({ port, backlog, ...(host === '' ? {} : { host }) }, () => {
      server.off('error', fail)
      resolve()
    })
  })
}

async function closeServer(server: Server, bodies: SocketBodies | undefined, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const closeIdle = () => {
    server.closeIdleConnections()
    bodies?.closeIdle()
  }
  closeIdle()
  // Connections whose request ends meanwhile are idle then, and would stay as long as any.
  const sweep = setInterval(closeIdle, sweepMs)
  const isClosed = await settlesWithin(closed, graceMs)
  clearInterval(sweep)
  if (isClosed) return
  server.closeAllConnections()
  bodies?.closeAll()
  await closed
}
