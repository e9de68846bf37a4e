export { GrpcClient, type OpenCall } from './grpc-client.ts'
export { type GrpcDetail, GrpcError, grpcCode } from './grpc-error.ts'
export { GrpcRoutes, type Handlers, type ServerCall } from './grpc-server.ts'
