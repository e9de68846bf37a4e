/** The input of `buildSpec`: what the engine knows about a container. Everything is resolved (ids are numbers, paths
 *  exist), and nothing is in Docker's wire form. */
import type { IdMappings, OciBlockIo, OciDevice, OciDeviceRule, OciRlimit, OciUser } from '../../oci/index.ts'
import type { ContainerLabels } from '../security/selinux-labels.ts'

/** A directory or file of the host inside the container. */
export interface BindMount {
  readonly source: string
  readonly destination: string
  readonly readonly: boolean
  /** With `readonly`: submounts are read-only too. Needs Linux 5.12. */
  readonly recursiveReadonly?: boolean
  /** Leaves out submounts of the source. Default: false. */
  readonly nonRecursive?: boolean
  /** Default: `rprivate`. */
  readonly propagation?: 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave'
}

/** A new tmpfs inside the container. */
export interface TmpfsMount {
  readonly destination: string
  /** In the form of `--tmpfs`: `size=64m`, `mode=1777`, `exec`. */
  readonly options: readonly string[]
}

/** `private` creates a namespace, `host` stays in the host's, a path joins that namespace. */
export type NamespaceMode = 'private' | 'host' | { readonly path: string }

/** Limits of a container. An absent value means no limit. Names and units are those of Docker's `HostConfig`. */
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
  /** Weights and limits for single devices, in addition to `blkioWeight`. */
  readonly blockDevices?: Omit<OciBlockIo, 'weight'>
  readonly cpuRealtimePeriod?: number
  readonly cpuRealtimeRuntime?: number
  /** cgroup v1 only. */
  readonly kernelMemoryTcpBytes?: number
}

/** The filter of system calls: Berth's default profile, none, or the profile with this text (JSON in Docker's
 *  format). */
export type SeccompChoice = 'default' | 'unconfined' | { readonly profile: string }

/** The first process of a container. */
export interface ProcessInput {
  readonly args: readonly string[]
  /** The whole environment, as `NAME=value` entries (see `buildEnv`). */
  readonly env: readonly string[]
  /** `''` is `/`. */
  readonly cwd: string
  readonly user: OciUser
  readonly terminal: boolean
  /** First window size of the terminal, in characters. */
  readonly consoleSize?: { readonly height: number; readonly width: number }
  readonly rlimits: readonly OciRlimit[]
  readonly oomScoreAdj?: number
  /** The host's path of an init program (see `findInit`). It becomes process 1, runs `args` and reaps orphans. */
  readonly init?: string
}

/** What a container sees as its file system. */
export interface FilesInput {
  /** Directory on the host where the root file system is mounted. */
  readonly rootfs: string
  readonly readonlyRootfs: boolean
  readonly binds: readonly BindMount[]
  readonly tmpfs: readonly TmpfsMount[]
  /** Size of /dev/shm. Default: 64 MiB. */
  readonly shmSizeBytes?: number
}

/** The namespaces of a container, and what is set in them. */
export interface NamespacesInput {
  readonly network: NamespaceMode
  readonly pid: NamespaceMode
  readonly ipc: NamespaceMode
  /** The namespace of `ipc` is new, but without /dev/shm. */
  readonly noShm?: boolean
  /** Directory on the host that is shown as /dev/shm: that of the container whose `ipc` is joined. */
  readonly shmSource?: string
  readonly uts: NamespaceMode
  /** Set unless `uts` is the host's. */
  readonly hostname: string
  readonly domainname?: string
  /** Default: private on cgroup v2, the host's on v1. */
  readonly cgroup?: NamespaceMode
  /** A new user namespace with these mappings; with `path`, the existing one that has them. Absent: the host's. */
  readonly users?: { readonly mappings: IdMappings; readonly path?: string }
  /** Kernel parameters by name: `net.core.somaxconn`. */
  readonly sysctls?: Readonly<Record<string, string>>
}

/** What the processes of a container may do. */
export interface SecurityInput {
  /** All capabilities and devices, no filter of system calls, writable /sys. */
  readonly privileged: boolean
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] }
  readonly seccomp: SeccompChoice
  readonly noNewPrivileges: boolean
  /** Name of a profile that the kernel has loaded. Absent: unconfined. */
  readonly appArmorProfile?: string
  /** SELinux labels of the process, and of the file systems that the runtime mounts; `''` for none. */
  readonly labels?: ContainerLabels
  /** Instead of `defaultMaskedPaths`. */
  readonly maskedPaths?: readonly string[]
  /** Instead of `defaultReadonlyPaths`. */
  readonly readonlyPaths?: readonly string[]
}

/** What a container may use of the host. */
export interface ResourcesInput {
  readonly limits: ResourceLimits
  /** Device nodes that the container gets besides the common ones. */
  readonly devices?: readonly OciDevice[]
  /** Rules besides those for the common devices. A node of `devices` can be opened only if a rule allows it. */
  readonly deviceRules?: readonly OciDeviceRule[]
  /** Below the cgroup root, unique per daemon: `/berth-1/<id>`; or the scope that systemd makes:
   *  `slice:prefix:<id>`. */
  readonly cgroupsPath: string
}

/** A container as `buildSpec` takes it. */
export interface SpecInput {
  readonly process: ProcessInput
  readonly files: FilesInput
  readonly namespaces: NamespacesInput
  readonly security: SecurityInput
  readonly resources: ResourcesInput
  readonly annotations?: Readonly<Record<string, string>>
}

/** The host's facts that a specification depends on; read once per daemon. */
export interface SpecHost {
  readonly cgroupVersion: 1 | 2
  /** Docker's name of the architecture: `amd64`, `arm64`. */
  readonly arch: string
  readonly kernelRelease: string
  /** Capabilities that this host can grant (see `capabilitiesOfMask`). */
  readonly capabilities: readonly string[]
}
