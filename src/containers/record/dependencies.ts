/** What the verbs of containers depend on. `daemon/open-containers.ts` supplies it. */
import type { Background, KeyedMutex, Logger } from '../../base/index.ts'
import type { ContainerDefaults, NameLookupDefaults, UserRemap } from '../../config/index.ts'
import type { EventBus } from '../../events/index.ts'
import type { CommitRequest, CommittedImage, Image } from '../../images/index.ts'
import type { AppArmor, CgroupSettings, SelinuxLabels, SpecHost } from '../../runtime/index.ts'
import type { Snapshotter } from '../../snapshots/index.ts'
import type { ContentReplacement } from '../../volumes/index.ts'
import type { LiveContainers } from '../live/live.ts'
import type { Clock } from '../ports/clock.ts'
import type { ControlGroups } from '../ports/control-groups.ts'
import type { Mounts, Processes, Trees } from '../ports/host-files.ts'
import type { ContainerNetworks } from '../ports/networks.ts'
import type { ContainerRuntime } from '../ports/runtime.ts'
import type { ContainerIndex } from './container-index.ts'
import type { ContainerPaths } from './paths.ts'

/** Volumes whose whole content is read or replaced. */
export interface HeldVolumes {
  /** Keeps a volume from being removed until `letGo`. If the volume does not exist, makes it when `create` is set, and
   *  throws `notFound` otherwise. Gives the ids of the containers that use the volume, and whether it is new. */
  hold(
    name: string,
    holder: string,
    options: { readonly create: boolean },
  ): Promise<{ readonly containers: readonly string[]; readonly isNew: boolean }>
  /** Ends all holds and mounts of this holder. With `remove`, also removes the volume of that name. */
  letGo(holder: string, options?: { readonly remove?: string | undefined }): Promise<void>
  /** Replaces the volume's content, all or nothing. */
  replace(name: string, holder: string, replacement: ContentReplacement): Promise<void>
}

/** Volumes as containers use them. */
export interface ContainerVolumes extends HeldVolumes {
  /** Makes the volume if it does not exist, and records the container as a user of it. Gives the volume's driver, and
   *  its directory on the host; '' if the driver has none until the volume is mounted. */
  acquire(
    name: string,
    containerId: string,
    request: {
      readonly anonymous: boolean
      readonly labels?: Readonly<Record<string, string>>
      readonly driver?: string
      readonly options?: Readonly<Record<string, string>>
    },
  ): Promise<{ readonly driver: string; readonly source: string }>
  /** Mounts a volume for a holder if its driver needs that. Gives the volume's directory on the host. */
  mount(name: string, holder: string): Promise<string>
  /** Unmounts all volumes that were mounted for this holder. */
  unmountAll(holder: string): Promise<void>
  /** Removes the container from the users of all volumes. With `removeAnonymous`, also removes the anonymous volumes
   *  that it used. */
  release(containerId: string, options: { readonly removeAnonymous: boolean }): Promise<void>
  /** Copies the content of the directory `source` into an empty volume, which is then mounted for the holder. */
  copyUp(source: string, name: string, holder: string): Promise<void>
  /** Drops the references of all containers that are not in this set. */
  restore(containers: ReadonlySet<string>): Promise<void>
}

/** Images as containers use them. */
export interface ContainerImages {
  /** Finds an image by reference or id. Throws `notFound`: `No such image: …`. */
  resolve(reference: string, platform?: string): Image
  /** The ids of the image and of all images that were built on it. Throws `notFound`. */
  withChildren(reference: string): ReadonlySet<string>
  /** Makes an image from a container's changes. */
  commit(request: CommitRequest): Promise<CommittedImage>
}

/** The part of the daemon's configuration that containers use. */
export interface ContainerSettings extends CgroupSettings, ContainerDefaults, NameLookupDefaults {
  /** Names that `--runtime` accepts. */
  readonly runtimes: ReadonlySet<string>
}

/** Facts about the host that decide whether a request is valid: the number of CPUs, and the capabilities that the
 *  kernel knows. */
export interface HostFacts {
  /** Number of CPUs. */
  readonly cpus: number
  /** Capability names with their `CAP_` prefix. */
  readonly capabilities: ReadonlySet<string>
}

/** Everything that the verbs of containers depend on. */
export interface ContainerContext {
  readonly containers: ContainerIndex
  /** What runs of each container; in memory only. */
  readonly live: LiveContainers
  /** One lock per container, by full id. Verbs that change a container hold it. */
  readonly locks: KeyedMutex
  readonly images: ContainerImages
  readonly snapshots: Snapshotter
  readonly networks: ContainerNetworks
  readonly volumes: ContainerVolumes
  readonly runtime: ContainerRuntime
  readonly clock: Clock
  readonly cgroups: ControlGroups
  readonly mounts: Mounts
  readonly trees: Trees
  readonly processes: Processes
  readonly events: EventBus
  /** Work that goes on after a verb's answer; shutdown waits for it. */
  readonly background: Background
  readonly logger: Logger
  readonly paths: ContainerPaths
  readonly settings: ContainerSettings
  readonly host: HostFacts
  /** Facts about the host that the spec builder needs. */
  readonly specHost: SpecHost
  /** AppArmor; undefined on a host without it. */
  readonly appArmor?: AppArmor | undefined
  /** SELinux labels; undefined on a host without SELinux, or if the configuration turns labels off. */
  readonly labels?: SelinuxLabels | undefined
  /** The mapping of user ids (`userns-remap`); containers with `--userns host` don't use it. */
  readonly remap?: UserRemap | undefined
  /** Receives the duration of each step of a start; absent unless tracing is on. */
  readonly trace?: (containerId: string, step: string, ms: number) => void
}

/** The part of the context that a verb uses. Each verb lists its own dependencies, so its signature says what it
 *  can touch, and its tests supply only these. Only start, removal, boot and their shared helpers take the whole
 *  context. */
export type Uses<Name extends keyof ContainerContext> = Pick<ContainerContext, Name>
