/** Boot: compares the records in the database with conmon's files and the kernel. Running containers are adopted.
 *  Containers that ended are recorded with their real exit code and time. Leftovers without a record are removed. Then
 *  restart policies apply. */
import { existsSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf, zeroTime } from '../../base/index.ts'
import type { ContainerState, ExitInfo } from '../../runtime/index.ts'
import { reconcileNetworks } from '../connections/connect.ts'
import { permitLinks } from '../connections/links.ts'
import { resumeHealthChecks } from '../health/health-monitor.ts'
import { cgroupPathOf } from '../isolation/cgroup-path.ts'
import { type ContainerRecord, withState } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { sharedNetworkTarget } from '../record/namespaces.ts'
import { shouldStartAtBoot } from '../record/restart-policy.ts'
import { isUp } from '../record/state.ts'
import { clearView } from '../rootfs/view.ts'
import { resumeForwarding } from '../streams/log-forwarding.ts'
import { resumeRotation } from '../streams/log-rotation.ts'
import { handleExit, planRestart, releaseRun, watchExit } from './exit.ts'
import { watchOom } from './oom.ts'
import { endStrayGroups, removeOrphans } from './orphans.ts'
import { removeRecord } from './remove.ts'
import { startLocked } from './start.ts'

interface Adopted {
  readonly record: ContainerRecord
  readonly state: ContainerState
}

/** First part of the restore: finds out which containers run. Gives one entry per container whose state is known; for
 *  any other container the failure is logged. The caller restores the networks of running containers before it calls
 *  `finishRestore`, which starts containers. */
export async function adoptContainers(
  context: Uses<'containers' | 'live' | 'runtime' | 'cgroups' | 'logger' | 'paths' | 'settings'>,
): Promise<readonly Adopted[]> {
  const adopted: Adopted[] = []
  for (const record of context.containers.all()) {
    try {
      adopted.push({ record, state: await adoptOne(context, record) })
    } catch (error) {
      context.logger.error('container could not be adopted', { container: record.id, error: messageOf(error) })
    }
  }
  const known = adopted.filter(({ state }) => state.status === 'running' || state.status === 'created')
  await endStrayGroups(context, new Set(known.map(({ record }) => record.id)))
  return adopted
}

async function adoptOne(context: Uses<'runtime' | 'paths'>, record: ContainerRecord): Promise<ContainerState> {
  const wasUp = isUp(record.state.status)
  if (!wasUp && !existsSync(context.paths.bundle(record.id))) return { status: 'unknown' }
  return context.runtime.adopt(record.id)
}

/** The ids of the containers whose network must stay: those that run, and those whose record can't be read, because
 *  these may run as well. */
export function liveIds(context: Uses<'containers'>, adopted: readonly Adopted[]): ReadonlySet<string> {
  const running = adopted.filter(({ state }) => state.status === 'running').map(({ record }) => record.id)
  return new Set([...running, ...context.containers.brokenIds])
}

/** Second part of the restore: records what happened while the daemon was down, removes orphans, and applies restart
 *  policies. Resolves when all records are up to date; starts by policy go on in the background. */
export async function finishRestore(context: ContainerContext, adopted: readonly Adopted[]): Promise<void> {
  const known = new Set(context.containers.all().map(({ id }) => id))
  const toStart: ContainerRecord[] = []
  for (const one of adopted) {
    try {
      const record = await finishOne(context, await withNetworks(context, one))
      if (record !== undefined) toStart.push(record)
    } catch (error) {
      context.logger.error('container could not be restored', { container: one.record.id, error: messageOf(error) })
    }
  }
  for (const record of context.containers.all()) {
    await resumeForwarding(context, record)
    if (isUp(record.state.status)) await permitLinks(context, record)
  }
  await removeOrphans(context, known)
  clearView(context)
  // Containers whose network others share come first; the others wait for them.
  for (const record of toStart) context.background.run('start at boot', () => startAtBoot(context, record))
}

/** Updates the record of a running container to the networks that it is on. */
async function withNetworks(
  context: Uses<'containers' | 'networks' | 'logger' | 'paths' | 'settings'>,
  one: Adopted,
): Promise<Adopted> {
  if (one.state.status !== 'running') return one
  await reconcileNetworks(context, one.record.id)
  return { ...one, record: context.containers.find(one.record.id) ?? one.record }
}

/** Restores one container. Gives its record if it is to be started now. */
async function finishOne(context: ContainerContext, { record, state }: Adopted): Promise<ContainerRecord | undefined> {
  if (state.status === 'running') {
    resume(context, record, state)
    return undefined
  }
  const { exit } = state
  if (isUp(record.state.status)) {
    // The end was not recorded: the machine went down, or conmon was killed.
    const end = exit ?? { exitCode: 255, finishedAt: new Date(), oomKilled: false }
    return recordEnd(context, record, end)
  }
  if (exit !== undefined && isNewRun(record, state)) return recordEnd(context, asRunning(record, state), exit)
  if (state.status !== 'unknown') {
    await releaseLeftovers(context, record)
    if (record.hostConfig.AutoRemove === true) {
      // The user was never told that this container started, so it counts as a failed start.
      await context.locks.run(record.id, () => removeRecord(context, record, { volumes: true }))
      return undefined
    }
  }
  return applyPolicy(context, record)
}

/** Adopts a running container. If its start was not recorded, records it now. A paused container stays paused if the
 *  freezer agrees. A container that was frozen for a commit, or for a pause that was never answered, is thawed. */
function resume(context: ContainerContext, record: ContainerRecord, state: ContainerState): void {
  const group = cgroupOfProcess(context, state.pid, record.id) ?? cgroupPathOf(context, record.id)
  const isPaused = record.state.status === 'paused' && context.cgroups.isFrozen(group)
  if (!isPaused) context.cgroups.thaw(group)
  const running = isUp(record.state.status) ? record : asRunning(record, state)
  const status = isPaused ? 'paused' : 'running'
  context.containers.save(withState(running, { status, pid: state.pid ?? 0, error: '' }))
  context.live.of(record.id).beginRun()
  context.live.of(record.id).adoptedCgroup = group
  watchOom(context, context.containers.get(record.id))
  watchExit(context, record.id, startLocked)
  resumeRotation(context, running)
  if (!isPaused) resumeHealthChecks(context, context.containers.get(record.id), true)
}

/** The control group that the runtime made for a container. The first process may have moved itself into a group below
 *  it. */
function cgroupOfProcess({ cgroups }: Uses<'cgroups'>, pid: number | undefined, id: string): string | undefined {
  const steps = (pid === undefined ? undefined : cgroups.pathOf(pid))?.split('/') ?? []
  const own = steps.findIndex((step) => step.includes(id))
  return own === -1 ? undefined : steps.slice(0, own + 1).join('/')
}

/** True if the run began and ended after the last record was written. */
function isNewRun(record: ContainerRecord, { exit, startedAt }: ContainerState): boolean {
  return (
    exit !== undefined &&
    exit.unknown !== true &&
    startedAt !== undefined &&
    record.state.finishedAt !== exit.finishedAt.toISOString()
  )
}

/** The record as the start would have written it. */
function asRunning(record: ContainerRecord, { pid = 0, startedAt = new Date() }: ContainerState): ContainerRecord {
  const byPolicy = record.state.status === 'restarting'
  return withState(
    record,
    { status: 'running', pid, exitCode: 0, error: '', oomKilled: false, startedAt: startedAt.toISOString() },
    { stoppedByUser: false, restartCount: byPolicy ? record.restartCount + 1 : 0 },
  )
}

/** Records an end that happened while the daemon was down. Restart policies apply as for any end, and as they do at
 *  boot. */
async function recordEnd(
  context: ContainerContext,
  running: ContainerRecord,
  exit: ExitInfo,
): Promise<ContainerRecord | undefined> {
  context.containers.save(running)
  handleExit(context, running.id, exit, startLocked)
  const ended = context.containers.find(running.id)
  if (ended?.state.status !== 'exited' || ended.hostConfig.AutoRemove === true) return undefined
  return applyPolicy(context, ended)
}

/** Releases the rest of a run when the daemon died during the container's start, or before the cleanup after its
 *  end. */
async function releaseLeftovers(
  context: Uses<'containers' | 'live' | 'locks' | 'networks' | 'volumes' | 'runtime' | 'mounts' | 'paths'>,
  record: ContainerRecord,
): Promise<void> {
  await context.locks.run(record.id, async () => {
    await context.runtime.delete(record.id, { force: true })
    await releaseRun(context, record.id)
  })
}

/** Applies the restart policy or the automatic removal after a container's end at boot. Gives the record if the
 *  container is to be started now. */
async function applyPolicy(context: ContainerContext, record: ContainerRecord): Promise<ContainerRecord | undefined> {
  const wasStarted = record.state.startedAt !== zeroTime
  if (record.state.status === 'restarting') {
    planRestart(context, record, startLocked)
    return undefined
  }
  if (record.hostConfig.AutoRemove === true && record.state.status === 'exited') {
    await context.locks.run(record.id, () => removeRecord(context, record, { volumes: true }))
    return undefined
  }
  const policy = { Name: record.hostConfig.RestartPolicy?.Name ?? 'no' }
  return shouldStartAtBoot(policy, record.stoppedByUser, wasStarted) ? record : undefined
}

async function startAtBoot(context: ContainerContext, { id, hostConfig }: ContainerRecord): Promise<void> {
  const target = sharedNetworkTarget(hostConfig.NetworkMode ?? '')
  if (target !== undefined) {
    // After this turn, every start of this boot has taken its container's lock.
    await nextTurn()
    const other = context.containers.get(target)
    await context.locks.run(other.id, async () => {})
  }
  await context.locks.run(id, async () => {
    const record = context.containers.find(id)
    // A client already started or removed the container.
    if (record === undefined || isUp(record.state.status)) return
    await startLocked(context, withState(record, {}, { restartCount: 0, stoppedByUser: false }))
  })
}
