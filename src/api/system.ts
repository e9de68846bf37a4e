import type { ContainerSummary } from './container-summary.ts'
import type { ImageSummary } from './images.ts'
import type { StringMap } from './optional.ts'
import type { Volume } from './volumes.ts'

/** Result of `GET /version`. */
export interface SystemVersion {
  readonly Platform: { readonly Name: string }
  readonly Components: readonly VersionComponent[]
  readonly Version: string
  readonly ApiVersion: string
  readonly MinAPIVersion: string
  readonly GitCommit: string
  /** Version of Node; Docker has the version of its compiler here. */
  readonly GoVersion: string
  readonly Os: string
  readonly Arch: string
  readonly KernelVersion: string
  readonly Experimental?: boolean | undefined
  readonly BuildTime: string
}

/** A program that the engine consists of or runs. */
export interface VersionComponent {
  readonly Name: string
  readonly Version: string
  readonly Details?: StringMap | undefined
}

/** Result of `GET /info`. */
export interface SystemInfo {
  readonly ID: string
  readonly Containers: number
  readonly ContainersRunning: number
  readonly ContainersPaused: number
  readonly ContainersStopped: number
  readonly Images: number
  readonly Driver: string
  readonly DriverStatus: readonly (readonly [string, string])[]
  readonly DockerRootDir: string
  readonly Plugins: PluginsInfo
  readonly MemoryLimit: boolean
  readonly SwapLimit: boolean
  readonly KernelMemoryTCP?: boolean | undefined
  readonly CpuCfsPeriod: boolean
  readonly CpuCfsQuota: boolean
  readonly CPUShares: boolean
  readonly CPUSet: boolean
  readonly PidsLimit: boolean
  readonly OomKillDisable: boolean
  readonly IPv4Forwarding: boolean
  readonly Debug: boolean
  readonly NFd: number
  readonly NGoroutines: number
  readonly SystemTime: string
  readonly LoggingDriver: string
  readonly CgroupDriver: 'cgroupfs' | 'systemd' | 'none'
  readonly CgroupVersion: '1' | '2'
  readonly NEventsListener: number
  readonly KernelVersion: string
  readonly OperatingSystem: string
  readonly OSVersion: string
  readonly OSType: string
  readonly Architecture: string
  readonly NCPU: number
  readonly MemTotal: number
  readonly IndexServerAddress: string
  readonly RegistryConfig: RegistryServiceConfig
  readonly GenericResources: readonly unknown[] | null
  readonly HttpProxy: string
  readonly HttpsProxy: string
  readonly NoProxy: string
  readonly Name: string
  readonly Labels: readonly string[]
  readonly ExperimentalBuild: boolean
  readonly ServerVersion: string
  readonly Runtimes: Readonly<Record<string, RuntimeInfo>>
  readonly DefaultRuntime: string
  readonly Swarm: SwarmInfo
  readonly LiveRestoreEnabled: boolean
  readonly Isolation: string
  readonly InitBinary: string
  readonly ContainerdCommit: ComponentCommit
  readonly RuncCommit: ComponentCommit
  readonly InitCommit: ComponentCommit
  readonly SecurityOptions: readonly string[]
  readonly ProductLicense?: string | undefined
  readonly DefaultAddressPools?: readonly { readonly Base: string; readonly Size: number }[] | undefined
  readonly FirewallBackend?: FirewallInfo | undefined
  readonly DiscoveredDevices?: readonly { readonly Source: string; readonly ID: string }[] | undefined
  readonly CDISpecDirs: readonly string[]
  readonly Warnings: readonly string[] | null
}

/** Names of drivers, by kind. */
export interface PluginsInfo {
  readonly Volume: readonly string[]
  readonly Network: readonly string[]
  readonly Authorization: readonly string[] | null
  readonly Log: readonly string[]
}

/** Settings for registries. */
export interface RegistryServiceConfig {
  readonly InsecureRegistryCIDRs: readonly string[]
  readonly IndexConfigs: Readonly<Record<string, IndexInfo>>
  readonly Mirrors: readonly string[] | null
}

/** Settings for one registry. */
export interface IndexInfo {
  readonly Name: string
  readonly Mirrors: readonly string[]
  readonly Secure: boolean
  readonly Official: boolean
}

/** An OCI runtime of the configuration. */
export interface RuntimeInfo {
  readonly path?: string | undefined
  readonly runtimeArgs?: readonly string[] | undefined
  readonly status?: StringMap | undefined
}

/** Source commit of a program; Berth leaves `ID` empty. */
export interface ComponentCommit {
  readonly ID: string
  readonly Expected?: string | undefined
}

/** The firewall that publishes ports. */
export interface FirewallInfo {
  readonly Driver: string
  readonly Info?: readonly (readonly [string, string])[] | undefined
}

/** State of the swarm. Berth has no swarm, so this is always `inactiveSwarm`. */
export interface SwarmInfo {
  readonly NodeID: string
  readonly NodeAddr: string
  readonly LocalNodeState: 'inactive'
  readonly ControlAvailable: boolean
  readonly Error: string
  readonly RemoteManagers: null
}

/** The state of a host that is in no swarm. */
export const inactiveSwarm: SwarmInfo = Object.freeze({
  NodeID: '',
  NodeAddr: '',
  LocalNodeState: 'inactive',
  ControlAvailable: false,
  Error: '',
  RemoteManagers: null,
})

/** Kinds of objects that `GET /system/df` measures. */
export type DiskUsageType = 'container' | 'image' | 'volume' | 'build-cache'

/** Result of `GET /system/df`, sizes in bytes. */
export interface DiskUsage {
  /** 0 if images were not asked for. The lists of kinds that were not asked for are null. */
  readonly LayersSize: number
  readonly Images: readonly ImageSummary[] | null
  readonly Containers: readonly ContainerSummary[] | null
  readonly Volumes: readonly Volume[] | null
  readonly BuildCache: readonly BuildCacheRecord[] | null
}

/** One record of the build cache. `Size` is bytes. */
export interface BuildCacheRecord {
  readonly ID: string
  readonly Parents?: readonly string[] | undefined
  readonly Type: string
  readonly Description: string
  readonly InUse: boolean
  readonly Shared: boolean
  readonly Size: number
  readonly CreatedAt: string
  readonly LastUsedAt: string | null
  readonly UsageCount: number
}
