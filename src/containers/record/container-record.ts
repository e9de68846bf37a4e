/** What is known about a container: plain frozen data, one row in the database. What currently runs (pids, sockets,
 *  timers) is kept in `live.ts` and never stored. The requested configuration keeps Docker's wire form, because inspect
 *  must return exactly what create received. */
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

/** The current or last run of a container. Times are RFC 3339 with nanoseconds; `zeroTime` (year 1) means never. */
export interface RunState {
  readonly status: ContainerStatus
  /** Process id on the host; 0 if the container does not run. */
  readonly pid: number
  /** Exit code of the last run, or of a failed start; 0 while the container runs or before its first start. */
  readonly exitCode: number
  /** Why the last start failed; '' if it did not fail. */
  readonly error: string
  /** The kernel killed a process of this run for lack of memory. */
  readonly oomKilled: boolean
  readonly startedAt: string
  readonly finishedAt: string
}

/** One mount of a container, decided at create. */
export interface ContainerMount {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'image'
  /** Name of the volume or reference of the image; absent for binds and tmpfs. */
  readonly name?: string
  /** The volume's driver; absent for `local`. */
  readonly driver?: string
  /** Path on the host. '' for tmpfs and images, which are mounted for each run (see `mount-sources.ts`), and for
   *  volumes of a plugin before the first run. */
  readonly source: string
  /** Absolute path inside the container. */
  readonly destination: string
  readonly readOnly: boolean
  /** The option text as the user gave it (`ro`, `z`, …), as inspect shows it. */
  readonly mode: string
  /** SELinux relabeling that `--volumes-from` asked for; inspect does not show it. */
  readonly relabel?: 'z' | 'Z'
  /** Mount propagation such as `rprivate` or `rslave`; '' for types without one (mount_namespaces(7)). */
  readonly propagation: string
  /** Mount options for tmpfs. */
  readonly options?: readonly string[]
  /** True for a bind without the mounts below its source. */
  readonly nonRecursive?: boolean
  /** How deep `readOnly` applies: `top` is the mount itself; `all` includes all mounts below, and the start fails if
   *  the kernel can't do that. Absent: as deep as the kernel supports. */
  readonly readOnlyDepth?: 'top' | 'all'
  /** The part of the volume or image that is mounted: a relative path that does not begin with `..`. */
  readonly subpath?: string
  /** The mounted image: its id and the chainID of its top layer ('' for an image without layers). */
  readonly image?: { readonly id: string; readonly chainId: string }
  /** Made for this container only. It is removed with the container if the client asks to remove volumes. */
  readonly anonymous?: boolean
}

/** A container as it is stored. Records are frozen: `withChanges` and `withState` make the next version. */
export interface ContainerRecord {
  readonly version: 1
  readonly id: string
  /** Without the leading slash. */
  readonly name: string
  /** When the container was created. RFC 3339 without trailing zeros in the fraction; compare `createdNs`, not this
   *  text. */
  readonly created: string
  readonly image: {
    readonly id: string
    /** The reference as the user typed it. */
    readonly reference: string
    /** Name of the snapshot that is the parent of the writable layer; '' for an image without layers. */
    readonly chainId: string
    readonly manifest?: OciDescriptor
  }
  /** The program and its arguments, as inspect shows them. */
  readonly path: string
  readonly args: readonly string[]
  /** The user's configuration merged with the image's defaults. */
  readonly config: ContainerConfig
  /** The user's settings, completed by the daemon's defaults; other containers are named by id. */
  readonly hostConfig: HostConfig
  /** The networks of the create request; `networks` has the current ones. */
  readonly networkingConfig: NetworkingConfig
  /** The networks that the container is on, or joins at its start, by name. Absent in records of earlier versions. */
  readonly networks?: Readonly<Record<string, EndpointSettings>>
  /** The container runs without the default bridge, because the daemon had none when it started. It joins the bridge at
   *  its next start. */
  readonly withoutBridge?: boolean
  /** Links on the default bridge; absent in records of earlier versions. */
  readonly links?: readonly ContainerLink[]
  readonly mounts: readonly ContainerMount[]
  /** SELinux labels; absent if the daemon assigns none. */
  readonly labels?: ContainerLabels
  readonly state: RunState
  /** Result of the health checks; absent if there was none yet, or if the container has no health check. */
  readonly health?: Health
  /** How often the restart policy restarted the container since a user last started it. */
  readonly restartCount: number
  /** A user ended the last run (stop, kill), so `unless-stopped` does not restart the container at boot. */
  readonly stoppedByUser: boolean
}

/** A frozen copy of the record with some members replaced. */
export function withChanges(record: ContainerRecord, changes: Partial<ContainerRecord>): ContainerRecord {
  return Object.freeze({ ...record, ...changes })
}

/** A frozen copy of the record with some members of its run state replaced. */
export function withState(
  record: ContainerRecord,
  state: Partial<RunState>,
  changes: Partial<ContainerRecord> = {},
): ContainerRecord {
  return Object.freeze({ ...record, ...changes, state: Object.freeze({ ...record.state, ...state }) })
}

/** When the container was created, in nanoseconds since the epoch. */
export function createdNs({ created }: Pick<ContainerRecord, 'created'>): bigint {
  return parseNs(created) ?? 0n
}

/** A sorted copy of the records, newest first. */
export function newestFirst(records: readonly ContainerRecord[]): ContainerRecord[] {
  const timed = records.map((record) => ({ record, ns: createdNs(record) }))
  return timed.sort((a, b) => (a.ns === b.ns ? 0 : a.ns < b.ns ? 1 : -1)).map(({ record }) => record)
}

/** Key of the snapshot that is the container's writable layer. */
export function snapshotKey(id: string): string {
  return `container-${id}`
}

/** Gives the id of every container with the snapshot key of its writable layer. */
export function containerLayers(index: { all(): readonly ContainerRecord[] }): { id: string; key: string }[] {
  return index.all().map(({ id }) => ({ id, key: snapshotKey(id) }))
}
