export { formatJsonLine } from './bodies/ndjson.ts'
export { parseInteger, Query } from './bodies/query.ts'
export { multiplexedStreamType, rawStreamType } from './connections/frames.ts'
export type { HijackedConnection } from './connections/hijacked-connection.ts'
export { descriptorOf } from './connections/leave-parser.ts'
export { nodeHttp, nodeHttps } from './connections/node-http.ts'
export { SocketBodies, SocketBody } from './connections/socket-body.ts'
export { StreamSink } from './connections/stream-sink.ts'
export {
  type Endpoint,
  formatEndpoint,
  type InheritedEndpoint,
  loadTls,
  type TcpEndpoint,
  type UnixEndpoint,
} from './endpoint.ts'
export { Exchange } from './exchange.ts'
export { type Listener, type ListenOptions, listen, type RequestHandler } from './http-server.ts'
export { type PathParameters, Router } from './router.ts'
export { acceptWebSocket } from './websocket.ts'
