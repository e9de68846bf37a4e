/** What the builder works with; `daemon/build-service.ts` supplies it. */
import type { HostConfig } from '../../api/index.ts'
import type { KeyedMutex, Logger } from '../../base/index.ts'
import type { UserRemap } from '../../config/index.ts'
import type { ImageParts, OnProgress } from '../../images/index.ts'
import type { Networks } from '../../network/index.ts'
import type { Digest, OciRlimit, OciSpec, Platform } from '../../oci/index.ts'
import type { RegistryAuth } from '../../registry/client/index.ts'
import type { AppArmor, ConmonRuntime, SelinuxLabels, SpecHost } from '../../runtime/index.ts'
import type { Snapshotter, Trash } from '../../snapshots/index.ts'
import type { BuildCache } from '../cache/build-cache.ts'
import type { FileWorkers } from '../workers/file-workers.ts'

/** What the configuration says that concerns RUN. */
export interface BuildSettings {
  readonly defaultRuntime: string
  readonly shmSizeBytes: number
  /** What a step may write; undefined: as much as there is. */
  readonly layerSizeBytes: number | undefined
  readonly rlimits: readonly OciRlimit[]
  readonly noNewPrivileges: boolean
  readonly dns: readonly string[]
  readonly dnsOptions: readonly string[]
  readonly dnsSearch: readonly string[]
  /** Below the cgroup root. */
  readonly cgroupParent: string
  /** Processes of RUN have the users of this mapping (`userns-remap`). */
  readonly remap: UserRemap | undefined
}

/** Gets an image into the store; gives its id, or undefined when the name stands for it now. */
export type PullImage = (
  reference: string,
  options: {
    readonly platform: Platform | undefined
    readonly auth: RegistryAuth
    readonly onProgress: OnProgress
    readonly signal: AbortSignal
  },
) => Promise<Digest | undefined>

/** The network of a running container; paths of its namespace and of its files. */
export interface JoinedNetwork {
  readonly namespace: string
  readonly hosts: string
  readonly hostname: string
  readonly resolvConf: string
}

/** Devices of the host (CDI) for `RUN --device`. */
export interface BuildDevices {
  /** Those that a name means here; `isFree`: every build may have it. */
  find(asked: string): Promise<readonly { readonly name: string; readonly isFree: boolean }[]>
  /** Where in the root something of these is mounted. */
  targets(names: readonly string[]): Promise<readonly string[]>
  /** The configuration of a process with these. Throws `invalidArgument` for one that can't be had. */
  give(spec: OciSpec, names: readonly string[]): Promise<OciSpec>
}

/** Everything that builds share. */
export interface BuildParts {
  readonly images: ImageParts
  readonly snapshots: Snapshotter
  readonly runtime: ConmonRuntime
  readonly networks: Networks
  readonly specHost: SpecHost
  readonly settings: BuildSettings
  /** Undefined where processes of RUN are not confined by it. */
  readonly appArmor: AppArmor | undefined
  readonly labels: SelinuxLabels | undefined
  readonly cache: BuildCache
  readonly workers: FileWorkers
  /** Steps of the same key, whichever build wants them, are made once. */
  readonly stepLocks: KeyedMutex
  /** Cache mounts that one RUN at a time may use. */
  readonly mountLocks: KeyedMutex
  readonly pull: PullImage
  readonly devices: BuildDevices
  /** Throws `invalidArgument` for limits that no container can have. */
  checkLimits(limits: HostConfig): void
  /** Throws for a container that isn't there or doesn't run. */
  joinNetwork(container: string): JoinedNetwork
  /** `<data-root>/build`: spools, cache mounts, what is known of contexts, trash. */
  readonly directory: string
  /** Deletes directories below `directory` in the background. */
  readonly trash: Pick<Trash, 'discard' | 'drain'>
  readonly logger: Logger
}
