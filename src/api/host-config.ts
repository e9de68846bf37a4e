import type { Mount } from './mounts.ts'
import type { Optional, StringMap } from './optional.ts'
import type { PortMap } from './ports.ts'

/** Limits, devices and ulimits: the part of HostConfig that an update may change. */
export type Resources = Optional<{
  CpuShares: number
  Memory: number
  NanoCpus: number
  CgroupParent: string
  BlkioWeight: number
  BlkioWeightDevice: readonly WeightDevice[]
  BlkioDeviceReadBps: readonly ThrottleDevice[]
  BlkioDeviceWriteBps: readonly ThrottleDevice[]
  BlkioDeviceReadIOps: readonly ThrottleDevice[]
  BlkioDeviceWriteIOps: readonly ThrottleDevice[]
  CpuPeriod: number
  CpuQuota: number
  CpuRealtimePeriod: number
  CpuRealtimeRuntime: number
  CpusetCpus: string
  CpusetMems: string
  Devices: readonly DeviceMapping[]
  DeviceCgroupRules: readonly string[]
  DeviceRequests: readonly DeviceRequest[]
  KernelMemory: number
  KernelMemoryTCP: number
  MemoryReservation: number
  MemorySwap: number
  MemorySwappiness: number
  OomKillDisable: boolean
  PidsLimit: number
  Ulimits: readonly Ulimit[]
  CpuCount: number
  CpuPercent: number
  IOMaximumIOps: number
  IOMaximumBandwidth: number
}>

/** The part of a container's configuration that depends on the host. */
export type HostConfig = Resources &
  Optional<{
    Binds: readonly string[]
    ContainerIDFile: string
    LogConfig: LogConfig
    NetworkMode: string
    PortBindings: PortMap
    RestartPolicy: RestartPolicy
    AutoRemove: boolean
    VolumeDriver: string
    VolumesFrom: readonly string[]
    Mounts: readonly Mount[]
    /** Height, then width. */
    ConsoleSize: readonly number[]
    Annotations: StringMap
    CapAdd: readonly string[]
    CapDrop: readonly string[]
    CgroupnsMode: string
    Dns: readonly string[]
    DnsOptions: readonly string[]
    DnsSearch: readonly string[]
    ExtraHosts: readonly string[]
    GroupAdd: readonly string[]
    IpcMode: string
    Cgroup: string
    Links: readonly string[]
    OomScoreAdj: number
    PidMode: string
    Privileged: boolean
    PublishAllPorts: boolean
    ReadonlyRootfs: boolean
    SecurityOpt: readonly string[]
    StorageOpt: StringMap
    Tmpfs: StringMap
    UTSMode: string
    UsernsMode: string
    ShmSize: number
    Sysctls: StringMap
    Runtime: string
    Isolation: string
    MaskedPaths: readonly string[]
    ReadonlyPaths: readonly string[]
    Init: boolean
  }>

/** The share of a block device's I/O. */
export type WeightDevice = Optional<{ Path: string; Weight: number }>
/** A limit of a block device, in bytes or operations per second. */
export type ThrottleDevice = Optional<{ Path: string; Rate: number }>
/** A device of the host in a container (`--device`). */
export type DeviceMapping = Optional<{ PathOnHost: string; PathInContainer: string; CgroupPermissions: string }>
/** Devices by driver and capability (`--gpus`). */
export type DeviceRequest = Optional<{
  Driver: string
  Count: number
  DeviceIDs: readonly string[]
  Capabilities: readonly (readonly string[])[]
  Options: StringMap
}>
/** A resource limit of processes (`setrlimit(2)`); -1 means unlimited. */
export type Ulimit = Optional<{ Name: string; Soft: number; Hard: number }>
/** The log driver and its options. */
export type LogConfig = Optional<{ Type: string; Config: StringMap }>
/** When a container that ended is started again. */
export type RestartPolicy = Optional<{
  /** '', 'no', 'always', 'unless-stopped' or 'on-failure'. */
  Name: string
  MaximumRetryCount: number
}>
