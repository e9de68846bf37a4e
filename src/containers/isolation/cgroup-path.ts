/** The control group of a container: below the daemon's own, below the one that `--cgroup-parent` names, or a scope
 *  that systemd makes in a slice. A slice as parent means systemd whatever the daemon's own choice is. */
import type { HostConfig } from '../../api/index.ts'
import { cgroupBelow } from '../../runtime/index.ts'
import { groupInScope, pathOfRuntimeCgroup } from '../../sys/index.ts'
import type { Uses } from '../record/dependencies.ts'

/** Its path below every hierarchy: `/berth/<id>`, `/system.slice/berth-<id>.scope`. */
export function cgroupPathOf(
  context: Uses<'containers' | 'live' | 'settings'>,
  id: string,
  hostConfig?: HostConfig,
): string {
  // The daemon may have been told otherwise since the container was started.
  const made = context.live.find(id)?.adoptedCgroup ?? pathOfRuntimeCgroup(runtimeCgroupOf(context, id, hostConfig))
  return made.endsWith('.scope') ? groupInScope(made) : made
}

/** What the OCI runtime is told: a path, or `slice:prefix:id`. */
export function runtimeCgroupOf(context: Uses<'containers' | 'settings'>, id: string, hostConfig?: HostConfig): string {
  const parent = (hostConfig ?? context.containers.find(id)?.hostConfig)?.CgroupParent
  return cgroupBelow(context.settings, parent, id)
}
