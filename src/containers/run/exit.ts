/** What happens when a container's process has ended. Waiters are answered first; what no client can see
 *  (the mount, the namespace, the bundle) is taken away behind their backs, under the container's lock, so
 *  that the next start waits for it. */
import { messageOf, settlesWithin } from '../../base/index.ts'
import type { ExitInfo } from '../../runtime/index.ts'
import { endHealthChecks } from '../health/health-monitor.ts'
import { cgroupPathOf } from '../isolation/cgroup-path.ts'
import { type ContainerRecord, withState } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { publishContainer, publishUses } from '../record/events.ts'
import { uncheckedHealth } from '../record/health.ts'
import { nextDelayMs, shouldRestart } from '../record/restart-policy.ts'
import { isUp } from '../record/state.ts'
import { unmountRootfs } from '../rootfs/rootfs.ts'
import { removeRecord } from './remove.ts'

const outputPatienceMs = 2000

/** Starts a container again; its lock is held. */
export type StartAgain = (context: ContainerContext, record: ContainerRecord) => Promise<void>

/** Calls `handleExit` when the present run ends. */
export function watchExit(context: ContainerContext, id: string, startAgain: StartAgain): void {
  // Not background work: a container may outlive the daemon, whose shutdown waits for that.
  context.runtime
    .get(id)
    .waitExit()
    .then(async (exit) => {
      await outputDelivered(context, id)
      handleExit(context, id, exit, startAgain)
    })
    .catch((error: unknown) => {
      context.logger.error('end of a container was not recorded', { container: id, error: messageOf(error) })
    })
}

/** Attached clients get the output before anybody hears of the end, as with Docker; one that does not read is
 *  waited for only so long. */
async function outputDelivered(context: Uses<'live' | 'clock'>, id: string): Promise<void> {
  const { attachments } = context.live.of(id)
  if (attachments.size > 0) await settlesWithin(Promise.all(attachments), outputPatienceMs, context.clock)
}

/** Records the end of a run, answers who waits, and plans what follows: a restart, a removal, or nothing. */
export function handleExit(context: ContainerContext, id: string, exit: ExitInfo, startAgain: StartAgain): void {
  const record = context.containers.find(id)
  if (record === undefined || !isUp(record.state.status)) return
  // Its monitor was killed while it stood still.
  if (record.state.status === 'paused') context.cgroups.thaw(cgroupPathOf(context, id))
  context.live.of(id).thaw()
  const restart = shouldRestart(policyOf(record), {
    exitCode: exit.exitCode,
    stoppedByUser: record.stoppedByUser,
    restartCount: record.restartCount,
  })
  endHealthChecks(context, id)
  const health = uncheckedHealth(record.health)
  const ended = withState(
    record,
    {
      status: restart ? 'restarting' : 'exited',
      pid: 0,
      exitCode: exit.exitCode,
      oomKilled: exit.oomKilled || record.state.oomKilled,
      finishedAt: exit.finishedAt.toISOString(),
    },
    health === undefined ? {} : { health },
  )
  context.containers.save(ended)
  if (exit.oomKilled && !record.state.oomKilled) publishContainer(context.events, ended, 'oom')
  publishContainer(context.events, ended, 'die', {
    exitCode: String(exit.exitCode),
    execDuration: String(Math.max(0, Math.floor(ranForMs(ended) / 1000))),
  })
  publishUses(context, ended, 'end')
  const live = context.live.of(id)
  live.unreleased = true
  // An exec that was never started can't be any more.
  live.execs.clear()
  live.forwarder?.finish()
  live.tellExit({ exitCode: exit.exitCode }, !restart)
  if (!restart && ended.hostConfig.AutoRemove === true && live.restarts === 0) {
    live.removing = true
    context.background.run('auto-remove', () => autoRemove(context, ended))
    return
  }
  context.background.run('clean-up after exit', () => context.locks.run(id, () => releaseRun(context, id)))
  if (restart) planRestart(context, ended, startAgain)
}

async function autoRemove(context: ContainerContext, ended: ContainerRecord): Promise<void> {
  const live = context.live.of(ended.id)
  try {
    await context.locks.run(ended.id, async () => {
      // A client's removal may have been first.
      if (context.containers.find(ended.id) !== undefined) await removeRecord(context, ended, { volumes: true })
    })
  } finally {
    live.removing = false
  }
}

function ranForMs(record: ContainerRecord): number {
  return Date.parse(record.state.finishedAt) - Date.parse(record.state.startedAt)
}

/** Takes away everything that belongs to a run. Idempotent; the container's lock is held. */
export async function releaseRun(
  context: Uses<'containers' | 'live' | 'networks' | 'volumes' | 'runtime' | 'mounts' | 'paths'>,
  id: string,
): Promise<void> {
  const record = context.containers.find(id)
  if (record !== undefined && isUp(record.state.status)) return
  context.networks.sandboxes.release(id)
  await unmountRootfs(context, id)
  await context.runtime.delete(id)
  if (record !== undefined) context.live.of(id).unreleased = false
}

/** Starts the container again after the policy's delay, unless somebody stops it before. */
export function planRestart(
  context: ContainerContext,
  record: ContainerRecord,
  startAgain: StartAgain,
  ranMs = ranForMs(record),
): void {
  const live = context.live.of(record.id)
  live.restartDelayMs = nextDelayMs(live.restartDelayMs, ranMs)
  live.dropRestart = context.clock.after(live.restartDelayMs, () => {
    live.dropRestart = undefined
    context.background.run('restart by policy', () => restartByPolicy(context, record.id, startAgain))
  })
}

async function restartByPolicy(context: ContainerContext, id: string, startAgain: StartAgain): Promise<void> {
  await context.locks.run(id, async () => {
    const record = context.containers.find(id)
    if (record === undefined || record.state.status !== 'restarting') return
    try {
      await startAgain(context, withState(record, {}, { restartCount: record.restartCount + 1 }))
    } catch (error) {
      context.logger.warn('restart by policy failed', { container: id, error: messageOf(error) })
      planAnother(context, id, startAgain)
    }
  })
}

/** A restart that failed counts as one: what it needed (another container's network, a mount) may come yet. */
function planAnother(context: ContainerContext, id: string, startAgain: StartAgain): void {
  const failed = context.containers.find(id)
  if (failed?.state.status !== 'exited') return
  const { exitCode } = failed.state
  if (!shouldRestart(policyOf(failed), { exitCode, stoppedByUser: false, restartCount: failed.restartCount })) return
  const waiting = withState(failed, { status: 'restarting' })
  context.containers.save(waiting)
  planRestart(context, waiting, startAgain, 0)
}

function policyOf({ hostConfig }: ContainerRecord): Parameters<typeof shouldRestart>[0] {
  const { Name = 'no', MaximumRetryCount = 0 } = hostConfig.RestartPolicy ?? {}
  return { Name: Name ?? 'no', MaximumRetryCount: MaximumRetryCount ?? 0 }
}
