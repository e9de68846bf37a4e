/** Bodies of requests that are read from the connection's descriptor by somebody else than Node: it makes a buffer and
 *  a call of each 64 KiB, which for gigabytes is most of a server's work. The request and its answer are Node's as
 *  always; when the body was read, the connection goes back to the parser for the next request. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { descriptorOf, leaveParser, startReading, stopReading } from './leave-parser.ts'
import { nodeHttp } from './node-http.ts'

/** A smaller body costs least where it is. */
const minBodyBytes = 256 * 1024
/** How long a client that was answered may take to close its side. */
const lingerMs = 10_000
const nothing = Buffer.alloc(0)

export interface SocketBodyOptions {
  /** True for requests whose body, if it is large, is to be read this way; decided from the headers. */
  wants(request: IncomingMessage): boolean
  /** Takes such a request, instead of the server's `request` event. */
  handle(request: IncomingMessage, response: ServerResponse, body: SocketBody): void
  /** A connection without a request is closed after this. */
  readonly keepAliveMs: number
}

/** A body in its connection. Until it was read nothing else reads from that. */
export class SocketBody {
  readonly #socket: Socket
  readonly #onRead: () => void
  readonly #closed = new AbortController()
  /** What was read of the body with the headers; perhaps all of it, and what follows. */
  readonly head: Buffer
  /** Undefined: it comes in chunks. */
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

  /** The connection's descriptor, non-blocking; it stays the server's. Undefined when the connection is closed. */
  get fd(): number | undefined {
    return descriptorOf(this.#socket)
  }

  /** Aborted when the server closes the connection. That the client did is for those who read to see. */
  get signal(): AbortSignal {
    return this.#closed.signal
  }

  /** What came behind the body; undefined until that was read. */
  get rest(): Buffer | undefined {
    return this.#rest
  }

  /** The body was read to its end, with `rest` behind it: the connection can be used again. */
  setRead(rest: Buffer): void {
    this.#rest = rest
    this.#socket.off('close', this.#onClose)
    this.#onRead()
  }

  /** Reads what the client still sends, for nothing. Resolves when it has closed its side. */
  async drain(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.once('end', resolve).once('close', resolve)
      readForNothing(this.#socket)
    })
  }

  readonly #onClose = (): void => this.#closed.abort()
}

/** The connections of a server that are not with its parser. */
export class SocketBodies {
  readonly #server: Server
  readonly #options: SocketBodyOptions
  /** Whose clients want to send another request. */
  readonly #keptAlive = new WeakSet<IncomingMessage>()
  readonly #busy = new Set<Socket>()
  /** Between a body and the next request. */
  readonly #idle = new Set<Socket>()

  /** Takes the bodies that are wanted of a server without TLS. Nobody else may take its connections. */
  constructor(server: Server, options: SocketBodyOptions) {
    this.#server = server
    this.#options = options
    server.on('connection', (socket: Socket) => {
      leaveParser(socket, (request, keepAlive) => this.#takes(socket, request, keepAlive))
    })
    server.on('upgrade', (request, socket, head) => this.#take(request, socket as Socket, head))
  }

  /** Closes those without a request. */
  closeIdle(): void {
    for (const socket of this.#idle) socket.destroy()
  }

  /** Closes all of them. */
  closeAll(): void {
    for (const socket of [...this.#idle, ...this.#busy]) socket.destroy()
  }

  #takes(socket: Socket, request: IncomingMessage, keepAlive: boolean): boolean {
    const { 'content-length': length, 'transfer-encoding': encoding, expect } = request.headers
    const isLarge = encoding === undefined ? Number(length ?? 0) >= minBodyBytes : encoding.toLowerCase() === 'chunked'
    // Another answer may be on its way to a client that didn't wait for it: that is the server's to order.
    if (!isLarge || expect !== undefined || isAnswering(socket) || !this.#options.wants(request)) return false
    if (keepAlive) this.#keptAlive.add(request)
    return true
  }

  #take(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Only a connection that came back from a body before has read ahead in the stream.
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
      // As Node's server does after each answer.
      response.emit('close')
      if (body.rest !== undefined && response.shouldKeepAlive) this.#awaitRequest(socket, body.rest)
      else endSocket(socket)
    })
    this.#options.handle(request, response, body)
  }

  /** Gives the connection to a new parser when the next request begins. Before, that parser would count the time
   *  until then as the time that the headers take. */
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

  /** Counts a socket in until it is closed, or what this gives is called. */
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

/** A connection that is closed on bytes which nobody read is reset, and the answer lost with it. */
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

/** A reset is followed by `close`, which everybody who cares listens to. */
function ignore(): void {}
