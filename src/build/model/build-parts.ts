/** The parts of the engine that the builder works with. The composition root supplies them. */
import type { HostConfig } from '../../api/index.ts'
import type { KeyedMutex, Logger } from '../../base/index.ts'
import type { UserRemap } from '../../config/index.ts'
import type { OnProgress } from '../../contract/index.ts'
import type { ImageParts } from '../../images/index.ts'
import type { Networks } from '../../network/index.ts'
import type { Digest, OciRlimit, OciSpec, Platform } from '../../oci/index.ts'
import type { RegistryAuth } from '../../registry/client/index.ts'
import type { AppArmor, ConmonRuntime, SelinuxLabels, SpecHost } from '../../runtime/index.ts'
import type { Snapshotter, Trash } from '../../snapshots/index.ts'
import type { BuildCache } from '../cache/build-cache.ts'
import type { FileWorkers } from '../workers/file-workers.ts'

/** Settings of the daemon that apply to RUN. */
export interface BuildSettings {
  readonly defaultRuntime: string
  readonly shmSizeBytes: number
  /** How much a step may write, in bytes. Undefined: no limit. */
  readonly layerSizeBytes: number | undefined
  readonly rlimits: readonly OciRlimit[]
  readonly noNewPrivileges: boolean
  readonly dns: readonly string[]
  readonly dnsOptions: readonly string[]
  readonly dnsSearch: readonly string[]
  /** The parent of the steps' control groups, below the cgroup root. */
  readonly cgroupParent: string
  /** The user mapping of RUN's processes (`userns-remap`). Undefined: the users of the host. */
  readonly remap: UserRemap | undefined
}

/** Pulls an image into the store. Gives its id, or undefined when the store now finds it by the name. */
export type PullImage = (
  reference: string,
  options: {
    readonly platform: Platform | undefined
    readonly auth: RegistryAuth
    readonly onProgress: OnProgress
    readonly signal: AbortSignal
  },
) => Promise<Digest | undefined>

/** The network of a running container: paths of its namespace and of its network files. */
export interface JoinedNetwork {
  readonly namespace: string
  readonly hosts: string
  readonly hostname: string
  readonly resolvConf: string
}

/** CDI devices of the host, for `RUN --device`. */
export interface BuildDevices {
  /** The devices that a name stands for. `isFree`: every build may use the device without an entitlement. */
  find(asked: string): Promise<readonly { readonly name: string; readonly isFree: boolean }[]>
  /** Paths in the root filesystem at which these devices mount files. */
  targets(names: readonly string[]): Promise<readonly string[]>
  /** Adds the devices to a process's configuration. Throws `invalidArgument` for a device that is not available. */
  give(spec: OciSpec, names: readonly string[]): Promise<OciSpec>
}

/** The parts that all builds share. */
export interface BuildParts {
  readonly images: ImageParts
  readonly snapshots: Snapshotter
  readonly runtime: ConmonRuntime
  readonly networks: Networks
  readonly specHost: SpecHost
  readonly settings: BuildSettings
  /** Undefined when AppArmor does not confine processes of RUN. */
  readonly appArmor: AppArmor | undefined
  readonly labels: SelinuxLabels | undefined
  readonly cache: BuildCache
  readonly workers: FileWorkers
  /** Locks by step key: when several builds need the same step, it is made once. */
  readonly stepLocks: KeyedMutex
  /** Locks for cache mounts with `sharing=locked`. */
  readonly mountLocks: KeyedMutex
  readonly pull: PullImage
  readonly devices: BuildDevices
  /** Throws `invalidArgument` for limits that no container can have. */
  checkLimits(limits: HostConfig): void
  /** Throws for a container that does not exist or does not run. */
  joinNetwork(container: string): JoinedNetwork
  /** `<data-root>/build`: spools, cache mounts, facts about client directories, trash. */
  readonly directory: string
  /** Deletes directories below `directory` in the background. */
  readonly trash: Pick<Trash, 'discard' | 'drain'>
  readonly logger: Logger
}
