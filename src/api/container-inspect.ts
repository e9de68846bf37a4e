import type { ContainerConfig } from './container-config.ts'
import type { OciDescriptor } from './descriptors.ts'
import type { EndpointSettings } from './endpoints.ts'
import type { HostConfig } from './host-config.ts'
import type { MountPoint } from './mounts.ts'
import type { StringMap } from './optional.ts'
import type { PortMap } from './ports.ts'

/** States of a container. */
export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

/** A container's state. Times are RFC 3339 with nanoseconds; `zeroTime` means never. */
export interface ContainerState {
  readonly Status: ContainerStatus
  readonly Running: boolean
  readonly Paused: boolean
  readonly Restarting: boolean
  readonly OOMKilled: boolean
  readonly Dead: boolean
  readonly Pid: number
  readonly ExitCode: number
  readonly Error: string
  readonly StartedAt: string
  readonly FinishedAt: string
  readonly Health?: Health | undefined
}

/** Result of a container's health checks. */
export interface Health {
  readonly Status: 'none' | 'starting' | 'healthy' | 'unhealthy'
  readonly FailingStreak: number
  readonly Log: readonly HealthcheckResult[] | null
}

/** One run of a health check. */
export interface HealthcheckResult {
  readonly Start: string
  readonly End: string
  readonly ExitCode: number
  readonly Output: string
}

/** Facts about the storage of a container or image. */
export interface DriverData {
  readonly Name: string
  readonly Data: StringMap | null
}

/** Result of `GET /containers/{id}/json`. Fields that `Config` and `HostConfig` leave out are sent with their zero
 *  values. */
export interface ContainerInspect {
  readonly Id: string
  readonly Created: string
  readonly Path: string
  readonly Args: readonly string[]
  readonly State: ContainerState
  readonly Image: string
  readonly ResolvConfPath: string
  readonly HostnamePath: string
  readonly HostsPath: string
  readonly LogPath: string
  /** With its leading slash. */
  readonly Name: string
  readonly RestartCount: number
  readonly Driver: string
  readonly Platform: string
  readonly ImageManifestDescriptor?: OciDescriptor | undefined
  readonly MountLabel: string
  readonly ProcessLabel: string
  readonly AppArmorProfile: string
  readonly ExecIDs: readonly string[] | null
  readonly HostConfig: HostConfig
  readonly GraphDriver: DriverData
  readonly SizeRw?: number | undefined
  readonly SizeRootFs?: number | undefined
  readonly Mounts: readonly MountPoint[]
  readonly Config: ContainerConfig
  readonly NetworkSettings: NetworkSettings
}

/** A container's networks. For old clients the members after `Ports` repeat the endpoint on the default bridge. */
export interface NetworkSettings {
  readonly Bridge: string
  readonly SandboxID: string
  readonly SandboxKey: string
  readonly Ports: PortMap
  readonly HairpinMode: boolean
  readonly LinkLocalIPv6Address: string
  readonly LinkLocalIPv6PrefixLen: number
  readonly SecondaryIPAddresses: readonly NetworkAddress[] | null
  readonly SecondaryIPv6Addresses: readonly NetworkAddress[] | null
  readonly EndpointID: string
  readonly Gateway: string
  readonly GlobalIPv6Address: string
  readonly GlobalIPv6PrefixLen: number
  readonly IPAddress: string
  readonly IPPrefixLen: number
  readonly IPv6Gateway: string
  readonly MacAddress: string
  readonly Networks: Readonly<Record<string, EndpointSettings>>
}

/** An address and the length of its prefix. */
export interface NetworkAddress {
  readonly Addr: string
  readonly PrefixLen: number
}

/** One entry of `GET /containers/{id}/changes`. */
export interface ContainerChange {
  readonly Path: string
  /** 0: modified, 1: added, 2: deleted. */
  readonly Kind: 0 | 1 | 2
}
