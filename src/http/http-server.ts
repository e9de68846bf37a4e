/** An HTTP server for one endpoint. Node does the parsing. This file adds what Docker's clients need besides: taking a
 *  connection over for raw streams, with an `Upgrade` header or, as old clients do it, without. */
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { conflict, errnoOf, internal } from '../base/index.ts'
import { leaveParser } from './connections/leave-parser.ts'
import { nodeHttp, nodeHttps } from './connections/node-http.ts'
import { assignSocketGroup, clearSocketPath, withSocketMode } from './connections/unix-socket.ts'
import { type Endpoint, formatEndpoint, type TcpEndpoint, type UnixEndpoint } from './endpoint.ts'
import { Exchange } from './exchange.ts'

/** The code that answers requests. */
export interface RequestHandler {
  /** Answers one request. Must not reject. */
  handle(exchange: Exchange): Promise<void>
  /** True for requests after which the connection may leave HTTP. The request line alone must decide. */
  takesConnection(method: string, url: string): boolean
}

/** How `listen` opens a socket. */
export interface ListenOptions {
  /** The group of a unix socket. Without it: `docker`, else `berth`, else root. */
  readonly socketGroup?: string | undefined
}

/** A socket that accepts connections. */
export interface Listener {
  /** The endpoint in use. If port 0 was asked for, it has the port that the kernel chose. */
  readonly endpoint: Endpoint
  /** Accepts no more connections. Requests that still run after half a second are cut off. */
  close(): Promise<void>
}

const maxHeaderBytes = 1024 * 1024
const backlog = 1024
/** How long running requests may go on when a server closes. */
const closeGraceMs = 500

/** Starts to listen on one endpoint. Throws `conflict` or `invalidArgument` when it can't. */
export async function listen(
  endpoint: Endpoint,
  handler: RequestHandler,
  { socketGroup }: ListenOptions = {},
): Promise<Listener> {
  const server = makeServer(endpoint, handler)
  const bound = await bindTo(server, endpoint, socketGroup)
  const taken = trackTaken(server)
  return { endpoint: bound, close: () => closeServer(server, taken) }
}

function makeServer(endpoint: Endpoint, handler: RequestHandler): Server {
  const options = {
    maxHeaderSize: maxHeaderBytes,
    // Uploads and waits have no time limit. Idle connections stay open, because clients pool them.
    requestTimeout: 0,
    keepAliveTimeout: 0,
    // The upgrades that Berth serves are taken before Node asks this. Any other (`h2c`) is an ordinary request.
    shouldUpgradeCallback: () => false,
  }
  const tls = endpoint.kind === 'unix' ? undefined : endpoint.tls
  const server =
    tls === undefined
      ? nodeHttp.createServer(options)
      : nodeHttps().createServer({
          ...options,
          ...(tls.ca === undefined ? {} : { ca: tls.ca }),
          ...(tls.cert === undefined ? {} : { cert: tls.cert }),
          ...(tls.key === undefined ? {} : { key: tls.key }),
          requestCert: tls.verify,
          rejectUnauthorized: tls.verify,
          minVersion: 'TLSv1.2',
          // A plain HTTP server has it by default.
          allowHalfOpen: true,
        })
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => letGo(socket, handler))
  server.on(
    'request',
    (request, response) => void handler.handle(new Exchange({ request, response, socket: undefined })),
  )
  server.on('upgrade', (request, socket, head) => handleTaken(handler, request, socket, head))
  return server
}

/** Makes the parser release a socket after the headers of a request that may take the connection over. A chunked body
 *  without `Upgrade` may hold the input itself, so it stays with the parser. */
function letGo(socket: Socket, handler: RequestHandler): void {
  leaveParser(socket, ({ headers, method, url }) => {
    const isRaw = headers.upgrade !== undefined || headers['transfer-encoding'] === undefined
    return isRaw && handler.takesConnection(method ?? '', url ?? '')
  })
}

function handleTaken(handler: RequestHandler, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  if (head.length > 0) socket.unshift(head)
  // `close` follows a reset, and the code that uses the socket listens to that.
  socket.on('error', () => {})
  const response = new nodeHttp.ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket as Socket)
  response.once('finish', () => socket.end())
  void handler.handle(new Exchange({ request, response, socket }))
}

async function closeServer(server: Server, taken: ReadonlySet<Duplex>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => {
    server.closeAllConnections()
    for (const socket of taken) socket.destroy()
  }, closeGraceMs)
  await closed
  clearTimeout(timer)
}

/** Tracks connections that left HTTP. The server no longer knows them, but closing it must end them too. */
function trackTaken(server: Server): Set<Duplex> {
  const connections = new Set<Duplex>()
  server.on('upgrade', (_request, socket: Duplex) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  return connections
}

async function bindTo(server: Server, endpoint: Endpoint, socketGroup: string | undefined): Promise<Endpoint> {
  if (endpoint.kind === 'unix') return await bindUnix(server, endpoint, socketGroup)
  if (endpoint.kind === 'tcp') return await bindTcp(server, endpoint)
  await bind(server, formatEndpoint(endpoint), () => server.listen({ fd: endpoint.descriptor, backlog }))
  return endpoint
}

async function bindUnix(server: Server, endpoint: UnixEndpoint, group: string | undefined): Promise<Endpoint> {
  await clearSocketPath(endpoint.path)
  await bind(server, endpoint.path, () => withSocketMode(() => server.listen({ path: endpoint.path, backlog })))
  await assignSocketGroup(endpoint.path, group)
  return endpoint
}

async function bindTcp(server: Server, endpoint: TcpEndpoint): Promise<Endpoint> {
  const { host, port } = endpoint
  await bind(server, `${host}:${port}`, () => server.listen({ port, backlog, ...(host === '' ? {} : { host }) }))
  return { ...endpoint, port: (server.address() as AddressInfo).port }
}

function bind(server: Server, name: string, start: () => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      const text = `could not listen on ${name}: ${error.message}`
      reject(errnoOf(error) === 'EADDRINUSE' ? conflict(text, { cause: error }) : internal(text, { cause: error }))
    }
    server.once('error', fail)
    server.once('listening', () => {
      server.off('error', fail)
      resolve()
    })
    start()
  })
}
