/** What happens after a container's process ends. Clients that wait are answered first. The mount, the network
 *  namespace and the bundle are removed in the background, under the container's lock, so that the next start waits for
 *  the cleanup. */
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

/** Starts a container again. The caller holds the container's lock. */
export type StartAgain = (context: ContainerContext, record: ContainerRecord) => Promise<void>

/** Calls `handleExit` when the current run ends. */
export function watchExit(context: ContainerContext, id: string, startAgain: StartAgain): void {
  // Not background work: shutdown waits for background work, and a container may outlive the daemon.
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

/** Waits until attached clients have received all output, because Docker delivers the output before it reports the
 *  exit. A client that does not read is waited for at most `outputPatienceMs`. */
async function outputDelivered(context: Uses<'live' | 'clock'>, id: string): Promise<void> {
  const { attachments } = context.live.of(id)
  if (attachments.size > 0) await settlesWithin(Promise.all(attachments), outputPatienceMs, context.clock)
}

/** Records the end of a run, answers the clients that wait for it, and plans the next step: a restart, a removal, or
 *  nothing. Does nothing if the end is already recorded. */
export function handleExit(context: ContainerContext, id: string, exit: ExitInfo, startAgain: StartAgain): void {
  const record = context.containers.find(id)
  if (record === undefined || !isUp(record.state.status)) return
  // The container's conmon was killed while the container was paused.
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
  // Execs that were created but never started can no longer be started.
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
      // A client may have removed the container first.
      if (context.containers.find(ended.id) !== undefined) await removeRecord(context, ended, { volumes: true })
    })
  } finally {
    live.removing = false
  }
}

function ranForMs(record: ContainerRecord): number {
  return Date.parse(record.state.finishedAt) - Date.parse(record.state.startedAt)
}

/** Releases everything that belongs to a run: network, mounts and bundle. Does nothing while the container runs.
 *  Idempotent; the caller holds the container's lock. */
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

/** Starts the container again after the restart policy's delay, unless a client stops or starts it before. */
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

/** Plans another attempt after a failed restart, because what was missing (another container's network, a mount) may
 *  appear later. The failed attempt counts as a restart. */
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
