/** A listening socket of a registry, for HTTP or HTTPS. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import { conflict, errnoOf, internal, settlesWithin } from '../../../base/index.ts'
import { nodeHttp, nodeHttps, SocketBodies } from '../../../http/index.ts'
import type { RegistryLimits } from '../model/registry-limits.ts'
import type { RequestArrival } from './incoming-body.ts'

/** Where a registry listens. */
export interface ListenAddress {
  /** Default: 127.0.0.1. '' means all addresses. */
  readonly host?: string | undefined
  /** 0 for a free port. */
  readonly port: number
  /** Makes it HTTPS: certificate and key, and `ca`, `requestCert`, `rejectUnauthorized` for clients' certificates. */
  readonly tls?: TlsOptions | undefined
}

/** An address on which a registry listens. */
export interface RegistryListener {
  readonly host: string
  /** The actual port, also if 0 was requested. */
  readonly port: number
  /** The URL that clients put before `/v2/`. */
  readonly url: string
  /** Uses other certificates for new connections. Does nothing without TLS. */
  setTls(options: SecureContextOptions): void
  /** Stops listening, lets running requests go on for `graceMs` milliseconds (default: 10 s), then cuts them. */
  close(graceMs?: number): Promise<void>
}

/** Answers the requests of a listener. */
export interface RequestTaker {
  handle(request: IncomingMessage, response: ServerResponse, arrival: RequestArrival): void
  /** True for requests that `handle` accepts with the body still in the connection. */
  takesSocketBody(request: IncomingMessage): boolean
}

const backlog = 1024
const defaultGraceMs = 10_000
const sweepMs = 50
/** Bodies are read in pieces of about this size. */
const streamBytes = 128 * 1024

/** Listens on an address. Rejects with `conflict` if the port is in use, otherwise with `internal`. */
export async function listenRegistry(
  address: ListenAddress,
  limits: RegistryLimits,
  taker: RequestTaker,
): Promise<RegistryListener> {
  const server = makeServer(address, limits)
  server.on('request', (request, response) => taker.handle(request, response, { awaitsContinue: false }))
  // These clients wait before they send the body. If the request is refused, the body is never sent.
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
    // A body may take any time as long as bytes arrive: see RegistryLimits.idleMs.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveMs,
    highWaterMark: streamBytes,
    // A request to upgrade to another protocol is handled like any other request.
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
  // Connections become idle when their requests end. They are closed then, too.
  const sweep = setInterval(closeIdle, sweepMs)
  const isClosed = await settlesWithin(closed, graceMs)
  clearInterval(sweep)
  if (isClosed) return
  server.closeAllConnections()
  bodies?.closeAll()
  await closed
}
