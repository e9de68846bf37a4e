export { type CallOptions, GrpcClient, type Method, type OpenCall } from './grpc-client.ts'
export { codeOf, type GrpcDetail, GrpcError, grpcCode, toGrpcError } from './grpc-error.ts'
export { GrpcRoutes, type Handlers, type ServerCall } from './grpc-server.ts'
