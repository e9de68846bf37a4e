/** What the verbs of this folder work with; `daemon/open-containers.ts` supplies it. */
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

/** Volumes that are worked on as a whole. */
export interface HeldVolumes {
  /** Keeps a volume from being removed until `letGo`, making it when there is none and `create` is said; gives the
   *  containers that use it. Throws `notFound`. */
  hold(
    name: string,
    holder: string,
    options: { readonly create: boolean },
  ): Promise<{ readonly containers: readonly string[]; readonly isNew: boolean }>
  /** Ends what `hold` and `mount` gave the holder; with `remove`, that volume goes. */
  letGo(holder: string, options?: { readonly remove?: string | undefined }): Promise<void>
  /** Puts other content in place of a volume's, all or nothing. */
  replace(name: string, holder: string, replacement: ContentReplacement): Promise<void>
}

/** Volumes that containers use. */
export interface ContainerVolumes extends HeldVolumes {
  /** Makes the volume when there is none and notes the user; gives its driver, and its directory on the host if it has
   *  one while it is not mounted. */
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
  /** Makes a volume ready for a holder, mounting it when it has to be; gives its directory on the host. */
  mount(name: string, holder: string): Promise<string>
  /** The holder uses none of the volumes any more that were mounted for it. */
  unmountAll(holder: string): Promise<void>
  /** The container uses no volume any more; with `removeAnonymous` those of its own go. */
  release(containerId: string, options: { readonly removeAnonymous: boolean }): Promise<void>
  /** Fills an empty volume with what `source` holds; it is then mounted for the holder. */
  copyUp(source: string, name: string, holder: string): Promise<void>
  /** Drops the references of containers that are not among these. */
  restore(containers: ReadonlySet<string>): Promise<void>
}

/** Images that containers are made of. */
export interface ContainerImages {
  /** Throws `notFound`: `No such image: …`. */
  resolve(reference: string, platform?: string): Image
  /** The image and all that were built on it. */
  withChildren(reference: string): ReadonlySet<string>
  /** Makes an image of a container's changes. */
  commit(request: CommitRequest): Promise<CommittedImage>
}

export interface ContainerSettings extends CgroupSettings, ContainerDefaults, NameLookupDefaults {
  /** Names that `--runtime` may say. */
  readonly runtimes: ReadonlySet<string>
}

/** What of the host decides whether a request is valid. */
export interface HostFacts {
  readonly cpus: number
  /** Capability names with their `CAP_` prefix. */
  readonly capabilities: ReadonlySet<string>
}

/** Everything that the verbs of this folder work with. */
export interface ContainerContext {
  readonly containers: ContainerIndex
  readonly live: LiveContainers
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
  readonly background: Background
  readonly logger: Logger
  readonly paths: ContainerPaths
  readonly settings: ContainerSettings
  readonly host: HostFacts
  readonly specHost: SpecHost
  /** Confinement by AppArmor; undefined on a host without it. */
  readonly appArmor?: AppArmor | undefined
  /** Labels of SELinux; undefined where there are none, or none are wanted. */
  readonly labels?: SelinuxLabels | undefined
  /** The ids of containers, unless they ask for the host's. */
  readonly remap?: UserRemap | undefined
  /** Told the time of each step of a start; absent unless tracing. */
  readonly trace?: (containerId: string, step: string, ms: number) => void
}

/** The part of it that a verb uses. Each verb names its own, so that its signature says what it can touch, and a test
 *  gives it no more. Only start, removal, boot and what they share take the whole. */
export type Uses<Name extends keyof ContainerContext> = Pick<ContainerContext, Name>
