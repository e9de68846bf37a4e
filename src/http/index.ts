export { type JsonBodyOptions, readAll } from './bodies/json-body.ts'
export { formatJsonLine } from './bodies/ndjson.ts'
export { parseInteger, Query } from './bodies/query.ts'
export {
  frameHeaderBytes,
  multiplexedStreamType,
  rawStreamType,
  writeFrameHeader,
} from './connections/frames.ts'
export type { HijackedConnection } from './connections/hijacked-connection.ts'
export { descriptorOf } from './connections/leave-parser.ts'
export { nodeHttp, nodeHttps } from './connections/node-http.ts'
export { SocketBodies, SocketBody, type SocketBodyOptions } from './connections/socket-body.ts'
export { type ByteOutput, StreamSink, type StreamSinkOptions } from './connections/stream-sink.ts'
export {
  type Endpoint,
  formatEndpoint,
  type InheritedEndpoint,
  loadTls,
  type TcpEndpoint,
  type TlsMaterial,
  type TlsPaths,
  type UnixEndpoint,
} from './endpoint.ts'
export { type AnswerHeaders, Exchange } from './exchange.ts'
export { type Listener, type ListenOptions, listen, type RequestHandler } from './http-server.ts'
export { type PathParameters, type RouteMatch, Router } from './router.ts'
export { acceptWebSocket } from './websocket.ts'
