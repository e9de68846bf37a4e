export {
  type BuildAsk,
  type BuildAttestation,
  type BuildCacheOption,
  type BuildCachePruneResponse,
  type BuildCancel,
  type BuildContext,
  type BuildContextDigest,
  type BuildContextFile,
  type BuildErrorEvent,
  type BuildEvent,
  type BuildExplainEvent,
  type BuildMissReason,
  type BuildOutput,
  type BuildOutputType,
  type BuildRequest,
  type BuildStatusEvent,
  type BuildTarget,
  type BuildVertexEvent,
  type BuildWalkAsk,
  type BuildWalkPattern,
  type BuildWarningEvent,
  buildFrame,
  buildUpgrade,
  maxBuildFrameBytes,
  maxBuildMessageBytes,
  type NamedBuildContext,
} from './build.ts'
export type { ContainerConfig, HealthConfig } from './container-config.ts'
export type {
  ContainerCreateBody,
  ContainerCreateResponse,
  ContainersPruneResponse,
  ContainerTopResponse,
  ContainerUpdateResponse,
  ContainerWaitResponse,
  WaitCondition,
} from './container-create.ts'
export type { ContainerPathStat } from './container-files.ts'
export type {
  ContainerChange,
  ContainerInspect,
  ContainerState,
  ContainerStatus,
  DriverData,
  Health,
  HealthcheckResult,
  NetworkAddress,
  NetworkSettings,
} from './container-inspect.ts'
export type {
  BlkioEntry,
  BlkioStats,
  ContainerStats,
  CpuStats,
  InterfaceStats,
  MemoryStats,
} from './container-stats.ts'
export type { ContainerSummary } from './container-summary.ts'
export type { OciDescriptor, OciPlatform } from './descriptors.ts'
export type { DistributionInspect } from './distribution.ts'
export type { EndpointIPAMConfig, EndpointSettings, NetworkingConfig } from './endpoints.ts'
export type { ErrorResponse } from './errors.ts'
export type { EventActor, EventMessage, EventType } from './events.ts'
export type { ExecConfig, ExecInspect, ExecProcessConfig, ExecStartBody } from './exec.ts'
export type { Filters } from './filters.ts'
export type {
  DeviceMapping,
  DeviceRequest,
  HostConfig,
  LogConfig,
  Resources,
  RestartPolicy,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
} from './host-config.ts'
export type {
  AuthConfig,
  AuthResponse,
  ImageConfig,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageManifestSummary,
  ImageSummary,
  ImagesPruneResponse,
  ProgressDetail,
  ProgressMessage,
  SearchResult,
} from './images.ts'
export type { BindOptions, Mount, MountPoint, TmpfsOptions, VolumeOptions } from './mounts.ts'
export type {
  Ipam,
  IpamConfig,
  Network,
  NetworkConnectBody,
  NetworkContainer,
  NetworkCreateBody,
  NetworkCreateResponse,
  NetworkDisconnectBody,
  NetworksPruneResponse,
} from './networks.ts'
export type { Optional, StringMap, WireSet } from './optional.ts'
export type { Port, PortBinding, PortMap } from './ports.ts'
export type { StoreCheck, StoreProblem } from './store-check.ts'
export {
  type BuildCacheRecord,
  type ComponentCommit,
  type DiskUsage,
  type DiskUsageType,
  type FirewallInfo,
  type IndexInfo,
  inactiveSwarm,
  type PluginsInfo,
  type RegistryServiceConfig,
  type RuntimeInfo,
  type SwarmInfo,
  type SystemInfo,
  type SystemVersion,
  type VersionComponent,
} from './system.ts'
export { compareApiVersions, maxApiVersion, minApiVersion, oldestApiVersion } from './version.ts'
export type { Volume, VolumeCreateBody, VolumeListResponse, VolumesPruneResponse } from './volumes.ts'
