/** The control group of a container: below the daemon's own, or below the one that `--cgroup-parent` names. */
import { posix } from 'node:path'
import type { HostConfig } from '../api/index.ts'
import { invalidArgument } from '../base/index.ts'
import type { ContainerContext } from './dependencies.ts'

/** Its path below every hierarchy: `/berth/<id>`. */
export function cgroupPathOf(context: ContainerContext, id: string, hostConfig?: HostConfig): string {
  const parent = (hostConfig ?? context.containers.find(id)?.hostConfig)?.CgroupParent
  return posix.join('/', parent || context.settings.cgroupParent, id)
}

/** Throws `invalidArgument` for a parent that can't be one. */
export function checkCgroupParent({ CgroupParent: parent }: HostConfig): void {
  if (!parent) return
  if (parent.endsWith('.slice')) {
    throw invalidArgument(
      `invalid CgroupParent ${JSON.stringify(parent)}: slices belong to systemd, and the cgroup driver here is cgroupfs; give a path like "/group"`,
    )
  }
  const parts = parent.split('/')
  // A line feed would end the name in /proc/PID/cgroup, where everybody reads it.
  if (parts.includes('..') || /[\0\n]/.test(parent) || posix.normalize(`/${parent}`) === '/') {
    throw invalidArgument(`invalid CgroupParent ${JSON.stringify(parent)}: it must be a path below the root group`)
  }
}
