export type { Backends } from './backends.ts'
export type {
  BuildBackend,
  BuildByteSink,
  BuildClient,
  BuildkitBackend,
  BuildkitEntry,
  BuildkitSession,
  BuildPruneOptions,
  BuildStepReport,
  BuiltImageId,
  SessionBuild,
} from './builds.ts'
export type {
  AttachOptions,
  CommitOptions,
  ContainerArchive,
  ContainerBackend,
  CreateContainerRequest,
  ExtractOptions,
  ListContainersOptions,
  LogsOptions,
  RemoveOptions,
  StatsOptions,
  StopOptions,
  WaitHandle,
} from './containers.ts'
export type { ExecBackend, StartExecOptions } from './exec.ts'
export {
  booleanFilter,
  checkFilters,
  decodeFilters,
  hasWantedLabels,
  matchesLabel,
  namesMatching,
  parseBoolean,
  parseUntil,
  untilFilter,
} from './filters.ts'
export type {
  ImageBackend,
  ImportRequest,
  ListImagesOptions,
  OnProgress,
  ProgressOptions,
  PullOptions,
  SavedArchive,
} from './images.ts'
export type { NetworkBackend } from './networks.ts'
export type { RegistryBackend } from './registries.ts'
export type { AttachIo, OutputSource } from './streams.ts'
export type { EventsOptions, SystemBackend } from './system.ts'
export type { BackupOptions, RestoreOptions, VolumeBackend } from './volumes.ts'
