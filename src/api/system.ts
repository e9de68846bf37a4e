import type { ContainerSummary } from './container-summary.ts'
import type { ImageSummary } from './images.ts'
import type { StringMap } from './optional.ts'
import type { Volume } from './volumes.ts'

/** `GET /version`. */
export interface SystemVersion {
  readonly Platform: { readonly Name: string }
  readonly Components: readonly VersionComponent[]
  readonly Version: string
  readonly ApiVersion: string
  readonly MinAPIVersion: string
  readonly GitCommit: string
  /** Docker's field for its compiler: here the version of Node. */
  readonly GoVersion: string
  readonly Os: string
  readonly Arch: string
  readonly KernelVersion: string
  readonly Experimental?: boolean | undefined
  readonly BuildTime: string
}

export interface VersionComponent {
  readonly Name: string
  readonly Version: string
  readonly Details?: StringMap | undefined
}

/** `GET /info`. */
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

export interface PluginsInfo {
  readonly Volume: readonly string[]
  readonly Network: readonly string[]
  readonly Authorization: readonly string[] | null
  readonly Log: readonly string[]
}

export interface RegistryServiceConfig {
  readonly InsecureRegistryCIDRs: readonly string[]
  readonly IndexConfigs: Readonly<Record<string, IndexInfo>>
  readonly Mirrors: readonly string[] | null
}

export interface IndexInfo {
  readonly Name: string
  readonly Mirrors: readonly string[]
  readonly Secure: boolean
  readonly Official: boolean
}

export interface RuntimeInfo {
  readonly path?: string | undefined
  readonly runtimeArgs?: readonly string[] | undefined
  readonly status?: StringMap | undefined
}

export interface ComponentCommit {
  readonly ID: string
  readonly Expected?: string | undefined
}

export interface FirewallInfo {
  readonly Driver: string
  readonly Info?: readonly (readonly [string, string])[] | undefined
}

/** Berth has no swarm: `inactiveSwarm` always. */
export interface SwarmInfo {
  readonly NodeID: string
  readonly NodeAddr: string
  readonly LocalNodeState: 'inactive'
  readonly ControlAvailable: boolean
  readonly Error: string
  readonly RemoteManagers: null
}

/** What `/info` says of a host that is in no swarm. */
export const inactiveSwarm: SwarmInfo = Object.freeze({
  NodeID: '',
  NodeAddr: '',
  LocalNodeState: 'inactive',
  ControlAvailable: false,
  Error: '',
  RemoteManagers: null,
})

/** The kinds of object that `GET /system/df` can be asked for. */
export type DiskUsageType = 'container' | 'image' | 'volume' | 'build-cache'

/** `GET /system/df`; a kind that was not asked for is left out. */
export interface DiskUsage {
  /** Of what was not asked for: 0 and null. */
  readonly LayersSize: number
  readonly Images: readonly ImageSummary[] | null
  readonly Containers: readonly ContainerSummary[] | null
  readonly Volumes: readonly Volume[] | null
  readonly BuildCache: readonly BuildCacheRecord[] | null
}

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
