export type { Filters } from '../api/index.ts'
export { BuildSession } from './build-session.ts'
export { type BuildCachePruneOptions, type BuildSessionOptions, BuildsClient } from './builds-client.ts'
export { type AttachOptions, ContainerIoClient, type LogOptions } from './container-io-client.ts'
export {
  type ArmedWait,
  type ContainerListOptions,
  ContainersClient,
  type StopBehaviour,
} from './containers-client.ts'
export { EngineClient } from './engine-client.ts'
export { ExecClient } from './exec-client.ts'
export { ImagesClient, type ImportOptions, type PullOptions, throwProgressError } from './images-client.ts'
export { NetworksClient } from './networks-client.ts'
export { type PushOptions, RegistriesClient, type SearchOptions } from './registries-client.ts'
export { type EventOptions, SystemClient } from './system-client.ts'
export { Demultiplexer } from './transport/demultiplexer.ts'
export { type Endpoint, parseEndpoint, type TlsFiles } from './transport/endpoint.ts'
export type { AttachedStream } from './transport/hijacked-stream.ts'
export type { RawDocument } from './transport/raw-document.ts'
export { type ApiResponse, type RequestOptions, Transport, type TransportOptions } from './transport/transport.ts'
export type { OpenTunnel, Tunnel } from './transport/tunnel.ts'
export { VolumesClient } from './volumes-client.ts'
