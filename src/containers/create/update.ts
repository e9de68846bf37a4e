/** update: changes limits, the restart policy and published ports of a container, running or not. Either all changes
 *  apply or none. If the daemon is killed midway, the kernel may have the new limits while the record has the old ones.
 *  No client was told, and the next start sets what the record says. */
import type { ContainerUpdateResponse, HostConfig } from '../../api/index.ts'
import { BerthError, conflict, isBerthError, messageOf, type Undo, undoOnFailure } from '../../base/index.ts'
import type { ResourceLimits } from '../../runtime/index.ts'
import { cgroupFeatures } from '../../sys/index.ts'
import { applyPorts, withPorts } from '../connections/update-ports.ts'
import { cgroupPathOf } from '../isolation/cgroup-path.ts'
import { withChanges } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { isUp } from '../record/state.ts'
import { withoutUnsupportedLimits } from './kernel-limits.ts'
import { validateUpdate } from './validate.ts'

/** The fields that an update may set. Zero and '' leave a field unchanged. */
const fields = [
  'BlkioWeight',
  'CpuShares',
  'NanoCpus',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpusetCpus',
  'CpusetMems',
  'Memory',
  'MemorySwap',
  'MemoryReservation',
] as const satisfies readonly (keyof HostConfig)[]

/** Applies the changes. Throws `notFound`, `invalidArgument` for bad values, `conflict` for changes that contradict the
 *  container's settings, and `internal` if the kernel refuses. On an error nothing has changed. */
export async function updateContainer(
  context: ContainerContext,
  idOrName: string,
  changes: HostConfig,
): Promise<ContainerUpdateResponse> {
  const { id } = context.containers.get(idOrName)
  validateUpdate(changes, context.host)
  const { hostConfig: kept, warnings } = withoutUnsupportedLimits(changes, cgroupFeatures())
  await context.locks.run(id, async () => {
    try {
      await undoOnFailure(context.logger, (undo) => updateLocked(context, id, kept, undo))
    } catch (cause) {
      const kind = isBerthError(cause) ? cause.kind : 'internal'
      throw new BerthError(kind, `Cannot update container ${id}: ${messageOf(cause)}`, { cause })
    }
  })
  return { Warnings: warnings.length === 0 ? null : warnings }
}

async function updateLocked(
  context: Uses<'containers' | 'live' | 'networks' | 'runtime' | 'cgroups' | 'events' | 'settings'>,
  id: string,
  changes: HostConfig,
  undo: Undo,
): Promise<void> {
  const before = context.containers.get(id)
  if (before.state.status === 'removing' || before.state.status === 'dead') {
    throw conflict('container is marked for removal and cannot be "update"')
  }
  checkAgainst(before.hostConfig, changes)
  const { PortBindings: bindings } = changes
  const withNewPorts = bindings ? withPorts(before, bindings) : before
  const hostConfig = merged(withNewPorts.hostConfig, changes)
  if (bindings) undo.add(await applyPorts(context, before, withNewPorts))
  if (isUp(before.state.status)) await applyLimits(context, id, changes, hostConfig)
  // The container may have ended in the meantime.
  const updated = withChanges(context.containers.get(id), { hostConfig, config: withNewPorts.config })
  context.containers.save(updated)
  publishContainer(context.events, updated, 'update')
}

function merged(before: HostConfig, changes: HostConfig): HostConfig {
  const set = fields.filter((name) => changes[name]).map((name) => [name, changes[name]])
  const policy = changes.RestartPolicy
  return {
    ...before,
    ...(Object.fromEntries(set) as HostConfig),
    ...(typeof changes.PidsLimit === 'number' ? { PidsLimit: changes.PidsLimit } : {}),
    ...(policy?.Name ? { RestartPolicy: { Name: policy.Name, MaximumRetryCount: policy.MaximumRetryCount ?? 0 } } : {}),
  }
}

/** Throws `conflict` for changes that contradict the container's settings. */
function checkAgainst(before: HostConfig, changes: HostConfig): void {
  const has = (config: HostConfig, name: 'NanoCpus' | 'CpuPeriod' | 'CpuQuota') => (config[name] ?? 0) > 0
  const both = (what: string, other: string) =>
    conflict(`Conflicting options: ${what} cannot be updated as ${other} has already been set`)
  if (has(changes, 'NanoCpus') && has(before, 'CpuPeriod')) throw both('Nano CPUs', 'CPU Period')
  if (has(changes, 'NanoCpus') && has(before, 'CpuQuota')) throw both('Nano CPUs', 'CPU Quota')
  if (has(changes, 'CpuPeriod') && has(before, 'NanoCpus')) throw both('CPU Period', 'NanoCPUs')
  if (has(changes, 'CpuQuota') && has(before, 'NanoCpus')) throw both('CPU Quota', 'NanoCPUs')
  const swap = before.MemorySwap ?? 0
  if (changes.Memory && changes.Memory > swap && swap !== -1 && !changes.MemorySwap) {
    throw conflict(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    )
  }
  const policy = changes.RestartPolicy?.Name
  if (before.AutoRemove === true && policy && policy !== 'no') {
    throw conflict('Restart policy cannot be updated because AutoRemove is enabled for the container')
  }
}

async function applyLimits(
  context: Uses<'containers' | 'live' | 'runtime' | 'cgroups' | 'settings'>,
  id: string,
  changes: HostConfig,
  hostConfig: HostConfig,
): Promise<void> {
  const limits = limitsOf(changes, hostConfig)
  const path = cgroupPathOf(context, id)
  const restore = context.cgroups.keepLimits(path)
  try {
    if (Object.keys(limits).length > 0) await context.runtime.get(id).update(limits)
    // Zero and negative numbers mean no limit.
    if (typeof changes.PidsLimit === 'number' && changes.PidsLimit <= 0) context.cgroups.clearPidsLimit(path)
  } catch (error) {
    restore()
    throw error
  }
}

/** The changed limits, and those that they depend on. */
function limitsOf(changes: HostConfig, hostConfig: HostConfig): ResourceLimits {
  const limits: Record<string, number | string> = {}
  const set = (key: keyof ResourceLimits, value: number | string | null | undefined): void => {
    if (value) limits[key] = value
  }
  if (changes.Memory || changes.MemorySwap) {
    set('memoryBytes', hostConfig.Memory)
    set('memorySwapBytes', hostConfig.MemorySwap)
  }
  set('memoryReservationBytes', changes.MemoryReservation)
  set('cpuShares', changes.CpuShares)
  set('nanoCpus', changes.NanoCpus)
  // The kernel checks the period and the quota against each other.
  if (changes.CpuPeriod || changes.CpuQuota) {
    set('cpuPeriod', hostConfig.CpuPeriod)
    set('cpuQuota', hostConfig.CpuQuota)
  }
  set('cpuRealtimePeriod', changes.CpuRealtimePeriod)
  set('cpuRealtimeRuntime', changes.CpuRealtimeRuntime)
  set('cpusetCpus', changes.CpusetCpus)
  set('cpusetMems', changes.CpusetMems)
  set('blkioWeight', changes.BlkioWeight)
  set('pidsLimit', Math.max(0, changes.PidsLimit ?? 0))
  return limits as ResourceLimits
}
