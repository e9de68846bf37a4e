/** Raw streams over a WebSocket, for browsers. */
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { HijackedConnection } from './connections/hijacked-connection.ts'
import type { Exchange } from './exchange.ts'

/** Answers the handshake. After that, bytes travel in binary messages; both outputs share them. */
export async function acceptWebSocket(exchange: Exchange): Promise<HijackedConnection> {
  // Loaded on first use: most daemons never serve a WebSocket.
  const { WebSocketServer, createWebSocketStream } = await import('ws')
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  const { request, socket } = exchange.connection.takeSocket()
  const webSocket = await new Promise<WebSocket>((resolve, reject) => {
    socket.once('close', () => reject(new Error('the client left during the websocket handshake')))
    server.handleUpgrade(request, socket, Buffer.alloc(0), resolve)
  })
  const stream = createWebSocketStream(webSocket, { readableObjectMode: false })
  // A WebSocket can't be half closed: a write after the client's end fails, and `close` reports it.
  stream.on('error', () => {})
  // A WebSocket reports the client's end itself.
  return { output: stream, input: stream, endWithPeer() {}, finish: () => closeStream(stream) }
}

function closeStream(stream: Duplex): void {
  if (!stream.writableEnded) stream.end()
  stream.resume()
}
