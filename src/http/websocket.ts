/** Raw streams over a websocket, for browsers. */
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { HijackedConnection } from './connections/hijacked-connection.ts'
import type { Exchange } from './exchange.ts'

/** Answers the handshake; afterwards bytes travel in binary messages, both outputs alike. */
export async function acceptWebSocket(exchange: Exchange): Promise<HijackedConnection> {
  // Loaded on first use: most daemons never see a websocket.
  const { WebSocketServer, createWebSocketStream } = await import('ws')
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  const { request, socket } = exchange.connection.takeSocket()
  const webSocket = await new Promise<WebSocket>((resolve, reject) => {
    socket.once('close', () => reject(new Error('the client left during the websocket handshake')))
    server.handleUpgrade(request, socket, Buffer.alloc(0), resolve)
  })
  const stream = createWebSocketStream(webSocket, { readableObjectMode: false })
  // A websocket can't be half-closed: what is written after the client's end fails, and `close` tells it.
  stream.on('error', () => {})
  // The protocol has a closing of its own.
  return { output: stream, input: stream, endWithPeer() {}, finish: () => closeStream(stream) }
}

function closeStream(stream: Duplex): void {
  if (!stream.writableEnded) stream.end()
  stream.resume()
}
