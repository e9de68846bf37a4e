/** Taking a connection away from Node's HTTP server after the headers of a request. Node has no public way to do so for
 *  a request without an `Upgrade` header, and with one it would put another stream between us and the socket when there
 *  is a body; this goes through the one hook that upgrades use, and the two calls by which Node's own server stops and
 *  starts the reading of a socket. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { internal } from '../../base/index.ts'

/** The part of Node's parser that decides what becomes of a request once its headers are known. */
interface ServerParser {
  onIncoming?: (request: IncomingMessage, keepAlive: boolean) => number
}

/** What `onIncoming` returns to make the parser stop after the headers and leave the socket to us. */
const leaveSocket = 2

/** Makes the parser let go of a new connection after the headers of the first request that `takes` says yes to. The
 *  server's `upgrade` event then has the request, the socket, and what was read behind the headers. `keepAlive`: the
 *  client would send another request after this one. */
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

/** The descriptor of a socket that is open, to which Node gives no other way; undefined when it is not, or not the kernel's. */
export function descriptorOf(socket: Duplex): number | undefined {
  const fd = handleOf(socket)?.fd
  return fd === undefined || fd < 0 ? undefined : fd
}

/** Nothing is read from the socket any more, not even ahead: somebody else reads from its descriptor. */
export function stopReading(socket: Socket): void {
  const handle = handleOf(socket)
  // The stream would start again to have something ahead.
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
