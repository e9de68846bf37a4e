/** Where a container's control group is created: below the daemon's group, below the one that `--cgroup-parent` names,
 *  or in a systemd slice. For a container in a slice, systemd makes a scope, even if the daemon itself doesn't use
 *  systemd. */
import { posix } from 'node:path'
import { invalidArgument } from '../../base/index.ts'
import { formatScope, isSliceName, isSystemdBooted } from '../../sys/index.ts'

/** The daemon's settings for control groups. */
export interface CgroupSettings {
  /** The daemon's group: `/berth` or `/berth-<instance>`, possibly below another group. */
  readonly cgroupParent: string
  /** The slice for containers without a parent of their own, if systemd makes the groups. Undefined: they go below
   *  `cgroupParent`. */
  readonly slice?: string | undefined
}

/** The `cgroupsPath` of a container for the OCI runtime: a path below every hierarchy, or `slice:prefix:id`. `parent`:
 *  the value of `--cgroup-parent`, if given. */
export function cgroupBelow(
  { cgroupParent, slice }: CgroupSettings,
  parent: string | null | undefined,
  id: string,
): string {
  const within = parent || slice
  if (within?.endsWith('.slice')) return formatScope(within, posix.basename(cgroupParent), id)
  return posix.join('/', parent || cgroupParent, id)
}

/** Throws `invalidArgument` when the value of `--cgroup-parent` can't be used. */
export function checkCgroupParent(settings: Pick<CgroupSettings, 'slice'>, parent: string | null | undefined): void {
  if (!parent) return
  const refuse = (reason: string) => invalidArgument(`invalid CgroupParent ${JSON.stringify(parent)}: ${reason}`)
  if (parent.endsWith('.slice')) {
    if (!isSystemdBooted())
      throw refuse('slices belong to systemd, which this host does not run; give a path like "/group"')
    if (!isSliceName(parent)) throw refuse('it is not the name of a slice')
    return
  }
  if (settings.slice !== undefined) {
    throw invalidArgument('cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"')
  }
  const parts = parent.split('/')
  // A line feed would break the lines of /proc/PID/cgroup.
  if (parts.includes('..') || /[\0\n]/.test(parent) || posix.normalize(`/${parent}`) === '/') {
    throw refuse('it must be a path below the root group')
  }
}
