/** Takes a connection away from Node's HTTP server after the headers of a request. Node has no public way to do this
 *  for a request without an `Upgrade` header; for a request with one and a body, Node puts another stream in front
 *  of the socket. So this file uses the one hook that upgrades use, and the two calls by which Node's server stops
 *  and starts reading a socket. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { internal } from '../../base/index.ts'

/** The part of Node's parser that decides how to go on once the headers of a request are known. */
interface ServerParser {
  onIncoming?: (request: IncomingMessage, keepAlive: boolean) => number
}

/** The result of `onIncoming` that makes the parser stop after the headers and release the socket. */
const leaveSocket = 2

/** Makes the parser of a new connection release it after the headers of the first request that `takes` accepts. The
 *  server's `upgrade` event then has the request, the socket, and the bytes that were read behind the headers.
 *  `keepAlive` tells `takes` whether the client wants to send another request on the connection. */
export function leaveParser(socket: Socket, takes: (request: IncomingMessage, keepAlive: boolean) => boolean): void {
  const { parser } = socket as Socket & { readonly parser?: ServerParser | null }
  const original = parser?.onIncoming
  if (parser === undefined || parser === null || original === undefined) {
    throw internal('this version of Node has another HTTP parser: connections cannot be taken over')
  }
  parser.onIncoming = (request, keepAlive) => {
    if (takes(request, keepAlive)) {
      Object.assign(request, { upgrade: true })
      return leaveSocket
    }
    return original.call(parser, request, keepAlive)
  }
}

interface SocketHandle {
  readonly fd?: number
  reading?: boolean
  readStop?(): void
  readStart?(): void
}

/** The file descriptor of a socket, for which Node has no public property. Undefined when the socket is closed or is
 *  not one of the kernel's (TLS). */
export function descriptorOf(socket: Duplex): number | undefined {
  const fd = handleOf(socket)?.fd
  return fd === undefined || fd < 0 ? undefined : fd
}

/** Stops all reading from the socket, also ahead, because other code reads from its descriptor. */
export function stopReading(socket: Socket): void {
  const handle = handleOf(socket)
  // Otherwise the stream would read ahead again.
  Object.assign(socket, { _read: () => {} })
  if (handle?.reading !== true) return
  handle.reading = false
  handle.readStop?.()
}

/** Undoes `stopReading`. */
export function startReading(socket: Socket): void {
  const handle = handleOf(socket)
  Reflect.deleteProperty(socket, '_read')
  if (handle === undefined || handle.reading === true) return
  handle.reading = true
  handle.readStart?.()
}

function handleOf(socket: Duplex): SocketHandle | undefined {
  const { _handle: handle } = socket as Duplex & { readonly _handle?: SocketHandle | null }
  return handle ?? undefined
}
