/** What is known of a container: plain frozen data, one row in the database. What runs of it (pids, sockets,
 *  timers) is elsewhere (`live.ts`) and never stored. The requested configuration is kept in Docker's wire
 *  form, because inspect has to give back exactly what create was given. */
import type {
  ContainerConfig,
  EndpointSettings,
  Health,
  HostConfig,
  NetworkingConfig,
  OciDescriptor,
} from '../../api/index.ts'
import { parseNs } from '../../base/index.ts'
import type { ContainerLabels } from '../../runtime/index.ts'
import type { ContainerLink } from './link-index.ts'
import type { ContainerStatus } from './state.ts'

/** The last or present run of a container. Times are RFC 3339 with nanoseconds. */
export interface RunState {
  readonly status: ContainerStatus
  /** 0 when nothing runs. */
  readonly pid: number
  readonly exitCode: number
  /** Why the last start failed; '' otherwise. */
  readonly error: string
  readonly oomKilled: boolean
  readonly startedAt: string
  readonly finishedAt: string
}

/** Something mounted into a container, decided at create. */
export interface ContainerMount {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'image'
  /** Name of the volume or image; absent for binds and tmpfs. */
  readonly name?: string
  /** The volume's driver; absent for `local`. */
  readonly driver?: string
  /** Path on the host; '' for tmpfs and images, which are mounted for the time of a run (see `mount-sources.ts`), and
   *  for volumes of a plugin before the first run. */
  readonly source: string
  readonly destination: string
  readonly readOnly: boolean
  /** The option text as the user gave it (`ro`, `z`, …), shown by inspect. */
  readonly mode: string
  /** Labels for SELinux that `--volumes-from` asked for; inspect does not show it. */
  readonly relabel?: 'z' | 'Z'
  readonly propagation: string
  /** Mount options for tmpfs. */
  readonly options?: readonly string[]
  /** Non-recursive bind. */
  readonly nonRecursive?: boolean
  /** How deep `readOnly` goes: to the mount itself, or to all below it or not at all. Default: as deep as the kernel
   *  lets it. */
  readonly readOnlyDepth?: 'top' | 'all'
  /** What of the volume or image is shown: relative, without `..` at its start. */
  readonly subpath?: string
  /** The image that is mounted, and its topmost layer; '' for one without layers. */
  readonly image?: { readonly id: string; readonly chainId: string }
  /** Made for this container alone: removed with it when volumes are asked to be. */
  readonly anonymous?: boolean
}

export interface ContainerRecord {
  readonly version: 1
  readonly id: string
  /** Without the leading slash. */
  readonly name: string
  /** RFC 3339 without zeros at the end of the fraction; compare `createdNs`, not the text. */
  readonly created: string
  readonly image: {
    readonly id: string
    /** What the user asked for. */
    readonly reference: string
    /** Name of the snapshot that is the parent of the writable layer; '' for an image without layers. */
    readonly chainId: string
    readonly manifest?: OciDescriptor
  }
  readonly path: string
  readonly args: readonly string[]
  /** Merged with the image's defaults. */
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  readonly networkingConfig: NetworkingConfig
  /** The networks that it is on or joins when it starts, by their names; absent in records of earlier versions. */
  readonly networks?: Readonly<Record<string, EndpointSettings>>
  /** It runs without the default bridge, which the daemon did not have at its start, and joins it at its next one. */
  readonly withoutBridge?: boolean
  /** Links of the default bridge; absent in records of earlier versions. */
  readonly links?: readonly ContainerLink[]
  readonly mounts: readonly ContainerMount[]
  /** SELinux; absent while the daemon gives no labels. */
  readonly labels?: ContainerLabels
  readonly state: RunState
  /** Result of the health checks; absent when there was none yet, or there are none. */
  readonly health?: Health
  readonly restartCount: number
  /** The user ended the last run (stop, kill), so that `unless-stopped` stays down. */
  readonly stoppedByUser: boolean
}

/** The record with some members replaced, frozen. */
export function withChanges(record: ContainerRecord, changes: Partial<ContainerRecord>): ContainerRecord {
  return Object.freeze({ ...record, ...changes })
}

/** The record with some members of its run state replaced, frozen. */
export function withState(
  record: ContainerRecord,
  state: Partial<RunState>,
  changes: Partial<ContainerRecord> = {},
): ContainerRecord {
  return Object.freeze({ ...record, ...changes, state: Object.freeze({ ...record.state, ...state }) })
}

/** When it was made, in nanoseconds since the epoch. */
export function createdNs({ created }: Pick<ContainerRecord, 'created'>): bigint {
  return parseNs(created) ?? 0n
}

/** The same records, the one that was made last first. */
export function newestFirst(records: readonly ContainerRecord[]): ContainerRecord[] {
  const timed = records.map((record) => ({ record, ns: createdNs(record) }))
  return timed.sort((a, b) => (a.ns === b.ns ? 0 : a.ns < b.ns ? 1 : -1)).map(({ record }) => record)
}

/** Name of the writable layer's snapshot. */
export function snapshotKey(id: string): string {
  return `container-${id}`
}

/** Each container with the key of its writable layer. */
export function containerLayers(index: { all(): readonly ContainerRecord[] }): { id: string; key: string }[] {
  return index.all().map(({ id }) => ({ id, key: snapshotKey(id) }))
}
