/** The control groups of containers, by their path below every hierarchy (`/berth/<id>`), as far as the verbs of
 *  containers change them. */
import {
  cgroupPathOfPid,
  clearPidsLimit,
  dissolveCgroup,
  expectCgroupMove,
  freezeCgroup,
  isCgroupFrozen,
  keepCgroupLimits,
  killCgroup,
  listCgroups,
  listScopes,
  thawCgroup,
} from '../../sys/index.ts'

/** Stops all processes of a group, and lets them go on. */
export interface Freezer {
  /** Resolves when every process of the group stands still. Throws `notFound` when there is no such group,
   *  `unavailable` when the group does not come to rest. */
  freeze(path: string): Promise<void>
  /** Lets the processes go on. No error when there is no such group, or when they run. */
  thaw(path: string): void
  /** True while the group's processes are stopped; false when there is no such group. */
  isFrozen(path: string): boolean
}

/** Limits that an update sets beside those of the OCI runtime. */
export interface GroupLimits {
  /** Notes the limits of a group; gives what sets them again. */
  keepLimits(path: string): () => void
  /** Takes the limit of processes away. */
  clearPidsLimit(path: string): void
}

/** Finds and ends groups that an earlier daemon left. */
export interface GroupCleaner {
  /** The names of the groups directly below a group. */
  list(path: string): readonly string[]
  /** The scopes of systemd in a slice whose names begin with `prefix`: the rest of the name, and the path. */
  listScopes(slice: string, prefix: string): ReadonlyMap<string, string>
  /** Kills all processes of a group; gives how many there were. */
  kill(path: string): number
  /** Removes a group once it is empty, waiting up to `timeoutMs`; false when it was not. */
  dissolve(path: string, timeoutMs: number): Promise<boolean>
  /** The group of a process; undefined when there is no such process. */
  pathOf(pid: number): string | undefined
}

export interface ControlGroups extends Freezer, GroupLimits, GroupCleaner {
  /** Call when a process will probably be moved into a group soon: makes that faster. */
  expectMove(): void
}

/** The host's control groups. */
export const hostControlGroups: ControlGroups = {
  freeze: (path) => freezeCgroup(path),
  thaw: (path) => thawCgroup(path),
  isFrozen: (path) => isCgroupFrozen(path),
  keepLimits: (path) => keepCgroupLimits(path),
  clearPidsLimit: (path) => clearPidsLimit(path),
  list: (path) => listCgroups(path),
  listScopes: (slice, prefix) => listScopes(slice, prefix),
  kill: (path) => killCgroup(path),
  dissolve: (path, timeoutMs) => dissolveCgroup(path, timeoutMs),
  pathOf: (pid) => cgroupPathOfPid(pid),
  expectMove: () => expectCgroupMove(),
}
