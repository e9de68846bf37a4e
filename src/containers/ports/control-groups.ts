/** The control groups of containers, by their path in every cgroup hierarchy (`/berth/<id>`). The OCI runtime makes
 *  these groups; here are the operations that the verbs of containers need besides. */
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

/** Freezes and thaws all processes of a group. */
export interface Freezer {
  /** Resolves when every process of the group is frozen. Throws `notFound` if there is no such group, and `unavailable`
   *  if the group does not freeze in time. */
  freeze(path: string): Promise<void>
  /** Thaws the group. No error if there is no such group or if it is not frozen. */
  thaw(path: string): void
  /** True while the group is frozen; false if there is no such group. */
  isFrozen(path: string): boolean
}

/** Limits that an update sets in addition to those of the OCI runtime. */
export interface GroupLimits {
  /** Saves the group's current limits, and gives a function that restores them. */
  keepLimits(path: string): () => void
  /** Removes the limit on the number of processes. */
  clearPidsLimit(path: string): void
}

/** Finds and removes groups that an earlier daemon left behind. */
export interface GroupCleaner {
  /** The names of the groups directly below a group. */
  list(path: string): readonly string[]
  /** The systemd scopes in a slice whose names begin with `prefix`. Gives the path of each by the rest of its name. */
  listScopes(slice: string, prefix: string): ReadonlyMap<string, string>
  /** Kills all processes of a group, and gives their number. */
  kill(path: string): number
  /** Removes a group once it is empty, and waits up to `timeoutMs` for that. Gives false if it was not empty in
   *  time. */
  dissolve(path: string, timeoutMs: number): Promise<boolean>
  /** The path of a process's group; undefined if there is no such process. */
  pathOf(pid: number): string | undefined
}

/** All operations on control groups. */
export interface ControlGroups extends Freezer, GroupLimits, GroupCleaner {
  /** Call when a process will probably be moved into a group soon: this makes the move faster. */
  expectMove(): void
}

/** The host's control groups, in /sys/fs/cgroup (cgroups(7)). */
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
