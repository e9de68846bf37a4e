/** What the engine knows about a container when it asks for its runtime configuration: everything resolved
 *  (ids are numbers, paths exist), nothing in Docker's wire form. */
import type { IdMappings, OciBlockIo, OciDevice, OciDeviceRule, OciRlimit, OciUser } from '../../oci/index.ts'
import type { ContainerLabels } from '../security/selinux-labels.ts'

/** A directory or file of the host inside the container. */
export interface BindMount {
  readonly source: string
  readonly destination: string
  readonly readonly: boolean
  /** Submounts of a read-only one are read-only too: from Linux 5.12 on. */
  readonly recursiveReadonly?: boolean
  /** Without submounts of the source. Default: with them. */
  readonly nonRecursive?: boolean
  /** `rprivate` unless said. */
  readonly propagation?: 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave'
}

export interface TmpfsMount {
  readonly destination: string
  /** As `--tmpfs` takes them: `size=64m`, `mode=1777`, `exec`. */
  readonly options: readonly string[]
}

/** `private` makes a new namespace, `host` joins none, a path joins that one. */
export type NamespaceMode = 'private' | 'host' | { readonly path: string }

/** How much a container may use. Everything is optional: absent is unlimited. */
export interface ResourceLimits {
  readonly memoryBytes?: number
  /** Memory and swap together; -1 unlimited. Default with a memory limit: twice that. */
  readonly memorySwapBytes?: number
  readonly memoryReservationBytes?: number
  readonly memorySwappiness?: number
  readonly oomKillDisable?: boolean
  readonly nanoCpus?: number
  readonly cpuShares?: number
  readonly cpuQuota?: number
  readonly cpuPeriod?: number
  readonly cpusetCpus?: string
  readonly cpusetMems?: string
  readonly pidsLimit?: number
  readonly blkioWeight?: number
  /** Beside `blkioWeight`: what is said of single devices. */
  readonly blockDevices?: Omit<OciBlockIo, 'weight'>
  readonly cpuRealtimePeriod?: number
  readonly cpuRealtimeRuntime?: number
  /** cgroup v1 only. */
  readonly kernelMemoryTcpBytes?: number
}

/** Which system calls are filtered: by Berth's profile, by none, or by the profile whose text is given. */
export type SeccompChoice = 'default' | 'unconfined' | { readonly profile: string }

export interface SpecInput {
  readonly rootfs: string
  readonly readonlyRootfs: boolean
  readonly hostname: string
  readonly domainname?: string
  readonly args: readonly string[]
  /** Complete (see `buildEnv`). */
  readonly env: readonly string[]
  readonly cwd: string
  readonly user: OciUser
  readonly terminal: boolean
  readonly consoleSize?: { readonly height: number; readonly width: number }
  readonly privileged: boolean
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] }
  readonly seccomp: SeccompChoice
  readonly noNewPrivileges: boolean
  readonly appArmorProfile?: string
  /** SELinux: what the process runs under, and what the file systems that the runtime mounts are labelled with; '' for
   *  none. */
  readonly labels?: ContainerLabels
  /** `--security-opt systempaths=unconfined`: nothing of /proc and /sys is masked. */
  readonly unmaskedPaths?: boolean
  /** Instead of the default ones. */
  readonly maskedPaths?: readonly string[]
  readonly readonlyPaths?: readonly string[]
  readonly namespaces: {
    readonly network: NamespaceMode
    readonly pid: NamespaceMode
    readonly ipc: NamespaceMode
    /** The namespace of `ipc` is new, but without /dev/shm. */
    readonly noShm?: boolean
    /** Directory on the host that is shown as /dev/shm: that of the container whose `ipc` is joined. */
    readonly shmSource?: string
    readonly uts: NamespaceMode
    /** Default: private on cgroup v2, the host's on v1. */
    readonly cgroup?: NamespaceMode
  }
  /** A user namespace with these ids, or one that is there already. Absent: the host's. */
  readonly users?: { readonly mappings: IdMappings; readonly path?: string }
  readonly binds: readonly BindMount[]
  readonly tmpfs: readonly TmpfsMount[]
  readonly shmSizeBytes?: number
  readonly devices?: readonly OciDevice[]
  /** Which devices may be used beside the common ones; a node of `devices` can be opened only with a rule. */
  readonly deviceRules?: readonly OciDeviceRule[]
  readonly resources: ResourceLimits
  readonly rlimits: readonly OciRlimit[]
  readonly oomScoreAdj?: number
  readonly sysctls?: Readonly<Record<string, string>>
  /** The host's path of an init program (see `findInit`); it becomes process 1 and reaps orphans. */
  readonly init?: string
  /** Below the cgroup root, unique per daemon: `/berth-1/<id>`; or the scope that systemd makes:
   *  `slice:prefix:<id>`. */
  readonly cgroupsPath: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** What specs depend on beside the container: read once per daemon. */
export interface SpecHost {
  readonly cgroupVersion: 1 | 2
  /** Docker's name of the architecture: `amd64`, `arm64`. */
  readonly arch: string
  readonly kernelRelease: string
  /** What this host can give (see `capabilitiesOfMask`). */
  readonly capabilities: readonly string[]
}
