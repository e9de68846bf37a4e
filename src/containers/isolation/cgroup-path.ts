/** The control group of a container: below the daemon's own group, below the one of `--cgroup-parent`, or a scope that
 *  systemd makes in a slice. If the parent is a slice, systemd makes the group, whatever the daemon's own cgroup driver
 *  is. */
import type { HostConfig } from '../../api/index.ts'
import { cgroupBelow } from '../../runtime/index.ts'
import { groupInScope, pathOfRuntimeCgroup } from '../../sys/index.ts'
import type { Uses } from '../record/dependencies.ts'

/** The group's path in every cgroup hierarchy, such as `/berth/<id>` or `/system.slice/berth-<id>.scope`. */
export function cgroupPathOf(
  context: Uses<'containers' | 'live' | 'settings'>,
  id: string,
  hostConfig?: HostConfig,
): string {
  // The daemon's configuration may have changed since the container was started.
  const made = context.live.find(id)?.adoptedCgroup ?? pathOfRuntimeCgroup(runtimeCgroupOf(context, id, hostConfig))
  return made.endsWith('.scope') ? groupInScope(made) : made
}

/** The group in the form that the OCI runtime takes: a path, or `slice:prefix:id`. */
export function runtimeCgroupOf(context: Uses<'containers' | 'settings'>, id: string, hostConfig?: HostConfig): string {
  const parent = (hostConfig ?? context.containers.find(id)?.hostConfig)?.CgroupParent
  return cgroupBelow(context.settings, parent, id)
}
