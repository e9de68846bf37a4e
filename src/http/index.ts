export {
  type Endpoint,
  formatEndpoint,
  loadTls,
  type TcpEndpoint,
  type TlsMaterial,
  type TlsPaths,
  type UnixEndpoint,
} from './endpoint.ts'
export { type AnswerHeaders, Exchange } from './exchange.ts'
export { type DecodedFilters, decodeFilters, namesMatching } from './filters.ts'
export {
  frameHeaderBytes,
  multiplexedStreamType,
  rawStreamType,
  writeFrameHeader,
} from './frames.ts'
export type { HijackedConnection } from './hijacked-connection.ts'
export { type Listener, type ListenOptions, listen, type RequestHandler } from './http-server.ts'
export { type JsonBodyOptions, readAll } from './json-body.ts'
export { descriptorOf } from './leave-parser.ts'
export { formatJsonLine } from './ndjson.ts'
export { nodeHttp, nodeHttps } from './node-http.ts'
export { parseInteger, Query } from './query.ts'
export { type PathParameters, type RouteMatch, Router } from './router.ts'
export { SocketBodies, SocketBody, type SocketBodyOptions } from './socket-body.ts'
export { type ByteOutput, StreamSink, type StreamSinkOptions } from './stream-sink.ts'
export { acceptWebSocket } from './websocket.ts'
