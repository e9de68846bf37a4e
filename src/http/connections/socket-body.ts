/** Bodies of requests that other code than Node reads from the connection's descriptor. Node makes a buffer and a call
 *  for each 64 KiB, which for gigabytes is most of a server's work. The request and its answer stay Node's own objects.
 *  When the body was read, the connection goes back to the parser for the next request. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { descriptorOf, leaveParser, startReading, stopReading } from './leave-parser.ts'
import { nodeHttp } from './node-http.ts'

/** Bodies below this size are read faster by Node. */
const minBodyBytes = 256 * 1024
/** How long a client may take to close its side after the answer. */
const lingerMs = 10_000
const nothing = Buffer.alloc(0)

/** Which requests are read from the descriptor, and what handles them. */
export interface SocketBodyOptions {
  /** Decides from the headers whether the body, if it is large, is read this way. */
  wants(request: IncomingMessage): boolean
  /** Handles such a request, in place of the server's `request` event. */
  handle(request: IncomingMessage, response: ServerResponse, body: SocketBody): void
  /** A connection that waits for its next request longer than this is closed. */
  readonly keepAliveMs: number
}

/** A body that is still in its connection. Nothing else reads from the connection until `setRead`. */
export class SocketBody {
  readonly #socket: Socket
  readonly #onRead: () => void
  readonly #closed = new AbortController()
  /** The bytes that were read behind the headers: a part of the body, or all of it and what follows. */
  readonly head: Buffer
  /** Undefined when the body comes in chunks. */
  readonly sizeBytes: number | undefined
  #rest: Buffer | undefined

  constructor(socket: Socket, head: Buffer, sizeBytes: number | undefined, onRead: () => void) {
    this.#socket = socket
    this.#onRead = onRead
    this.head = head
    this.sizeBytes = sizeBytes
    if (socket.destroyed) this.#closed.abort()
    else socket.once('close', this.#onClose)
  }

  /** The connection's descriptor, which is non-blocking and must not be closed. Undefined when the connection is
   *  closed. */
  get fd(): number | undefined {
    return descriptorOf(this.#socket)
  }

  /** Aborted when the server closes the connection. The reader itself has to notice that the client did. */
  get signal(): AbortSignal {
    return this.#closed.signal
  }

  /** The bytes that came behind the body; undefined until the body was read. */
  get rest(): Buffer | undefined {
    return this.#rest
  }

  /** Reports that the body was read to its end and `rest` came behind it. The connection can then be used again. */
  setRead(rest: Buffer): void {
    this.#rest = rest
    this.#socket.off('close', this.#onClose)
    this.#onRead()
  }

  /** Reads and drops what the client still sends. Resolves when the client has closed its side. */
  async drain(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.once('end', resolve).once('close', resolve)
      readForNothing(this.#socket)
    })
  }

  readonly #onClose = (): void => this.#closed.abort()
}

/** The connections of one server that its parser has released. */
export class SocketBodies {
  readonly #server: Server
  readonly #options: SocketBodyOptions
  /** Requests whose client wants to send another one. */
  readonly #keptAlive = new WeakSet<IncomingMessage>()
  readonly #busy = new Set<Socket>()
  /** Connections between a body and the next request. */
  readonly #idle = new Set<Socket>()

  /** Takes the wanted bodies from a server without TLS. Nothing else may take that server's connections. */
  constructor(server: Server, options: SocketBodyOptions) {
    this.#server = server
    this.#options = options
    server.on('connection', (socket: Socket) => {
      leaveParser(socket, (request, keepAlive) => this.#takes(socket, request, keepAlive))
    })
    server.on('upgrade', (request, socket, head) => this.#take(request, socket as Socket, head))
  }

  /** Closes the connections that have no request. */
  closeIdle(): void {
    for (const socket of this.#idle) socket.destroy()
  }

  /** Closes all connections. */
  closeAll(): void {
    for (const socket of [...this.#idle, ...this.#busy]) socket.destroy()
  }

  #takes(socket: Socket, request: IncomingMessage, keepAlive: boolean): boolean {
    const { 'content-length': length, 'transfer-encoding': encoding, expect } = request.headers
    const isLarge = encoding === undefined ? Number(length ?? 0) >= minBodyBytes : encoding.toLowerCase() === 'chunked'
    // An earlier answer may still be on its way, if the client did not wait for it: only the server keeps their order.
    if (!isLarge || expect !== undefined || isAnswering(socket) || !this.#options.wants(request)) return false
    if (keepAlive) this.#keptAlive.add(request)
    return true
  }

  #take(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // The stream has read ahead only if the connection came back from an earlier body.
    const ahead = socket.readableLength > 0 ? (socket.read() as Buffer) : nothing
    stopReading(socket)
    socket.setTimeout(0)
    socket.on('error', ignore)
    const leave = this.#enter(this.#busy, socket)
    const response = new nodeHttp.ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    const { 'content-length': length } = request.headers
    const sizeBytes = request.headers['transfer-encoding'] === undefined ? Number(length) : undefined
    const body = new SocketBody(socket, Buffer.concat([head, ahead]), sizeBytes, () => {
      response.shouldKeepAlive = this.#keptAlive.has(request)
    })
    response.once('finish', () => {
      leave()
      response.detachSocket(socket)
      // Node's server emits it after each answer.
      response.emit('close')
      if (body.rest !== undefined && response.shouldKeepAlive) this.#awaitRequest(socket, body.rest)
      else endSocket(socket)
    })
    this.#options.handle(request, response, body)
  }

  /** Gives the connection to a new parser when the next request begins. If it did so earlier, the parser would count
   *  the time until then as the time that the headers take. */
  #awaitRequest(socket: Socket, rest: Buffer): void {
    const close = () => socket.destroy()
    const leave = this.#enter(this.#idle, socket)
    socket.setTimeout(this.#options.keepAliveMs, close)
    socket.once('end', close)
    socket.once('data', (chunk: Buffer) => {
      leave()
      socket.setTimeout(0, close)
      socket.off('end', close).off('error', ignore)
      socket.pause()
      socket.unshift(chunk)
      this.#server.emit('connection', socket)
      socket.resume()
    })
    if (rest.length > 0) socket.unshift(rest)
    startReading(socket)
  }

  /** Adds a socket to the set. It leaves when it is closed, or when the returned function is called. */
  #enter(sockets: Set<Socket>, socket: Socket): () => void {
    const leave = () => void sockets.delete(socket)
    sockets.add(socket)
    socket.once('close', leave)
    return () => {
      leave()
      socket.off('close', leave)
    }
  }
}

function isAnswering(socket: Socket): boolean {
  const { _httpMessage: answer } = socket as Socket & { readonly _httpMessage?: ServerResponse | null }
  return answer !== undefined && answer !== null
}

/** Ends a connection. Unread bytes are read first: closing a socket that holds some resets the connection, and the
 *  client would lose the answer. */
function endSocket(socket: Socket): void {
  socket.end()
  readForNothing(socket)
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}

function readForNothing(socket: Socket): void {
  startReading(socket)
  socket.resume()
}

/** Errors are ignored: `close` follows each, and the code that uses the socket listens to that. */
function ignore(): void {}
