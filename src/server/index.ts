export type {
  AttachIo,
  AttachOptions,
  ContainerBackend,
  ContainerLifecycle,
  ContainerQueries,
  ContainerStreams,
  CreateContainerRequest,
  Filters,
  ListContainersOptions,
  LogsOptions,
  OutputSource,
  RemoveOptions,
  StopOptions,
  TerminalSize,
  WaitHandle,
} from './containers/index.ts'
export type { ExecBackend, StartExecOptions } from './exec/backend.ts'
export type {
  ImageBackend,
  ImageSources,
  ImportRequest,
  ListImagesOptions,
  OnProgress,
  ProgressOptions,
  PullOptions,
} from './images/backend.ts'
export type { NetworkBackend } from './networks/backend.ts'
export type { RegistryBackend, RegistryOptions, SearchOptions } from './registries/backend.ts'
export { type ApiServer, type Backends, createServer, type ServerOptions } from './server.ts'
export type { EventsOptions, SystemBackend } from './system/backend.ts'
export type { VolumeBackend } from './volumes/backend.ts'
