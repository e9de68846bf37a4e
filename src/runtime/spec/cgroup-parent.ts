/** Below which control group a container's own is made: the daemon's, one that was asked for, or a slice of systemd's.
 *  A slice means a scope that systemd makes, whatever the daemon's own choice is. */
import { posix } from 'node:path'
import { invalidArgument } from '../../base/index.ts'
import { formatScope, isSliceName, isSystemdBooted } from '../../sys/index.ts'

export interface CgroupSettings {
  /** The daemon's group: `/berth` or `/berth-<instance>`, below another one if it was told so. */
  readonly cgroupParent: string
  /** The slice of containers that name no parent, when systemd is to make their groups; undefined: below
   *  `cgroupParent`. */
  readonly slice?: string | undefined
}

/** What the OCI runtime is told for a container, with the parent that was asked for, if one was: a path below every
 *  hierarchy, or `slice:prefix:id`. */
export function cgroupBelow(
  { cgroupParent, slice }: CgroupSettings,
  parent: string | null | undefined,
  id: string,
): string {
  const within = parent || slice
  if (within?.endsWith('.slice')) return formatScope(within, posix.basename(cgroupParent), id)
  return posix.join('/', parent || cgroupParent, id)
}

/** Throws `invalidArgument` for a parent that can't be one. */
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
  // A line feed would end the name in /proc/PID/cgroup, where everybody reads it.
  if (parts.includes('..') || /[\0\n]/.test(parent) || posix.normalize(`/${parent}`) === '/') {
    throw refuse('it must be a path below the root group')
  }
}
