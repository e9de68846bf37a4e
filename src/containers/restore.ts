/** Boot: the records in the database are held against what conmon's files and the kernel say.
 *  What lives is adopted, what ended is recorded with its real code and time, what has no record is taken away,
 *  and restart policies act. */
import { existsSync, readdirSync } from 'node:fs'
import { formatNs, messageOf, nowNs, zeroTime } from '../base/index.ts'
import type { ContainerState } from '../runtime/index.ts'
import { type ContainerRecord, withState } from './container-record.ts'
import type { ContainerContext } from './dependencies.ts'
import { handleExit, planRestart, releaseRun, watchExit } from './exit.ts'
import { resumeRotation } from './log-rotation.ts'
import { removeFiles, removeRecord } from './remove.ts'
import { shouldStartAtBoot } from './restart-policy.ts'
import { startLocked } from './start.ts'

interface Adopted {
  readonly record: ContainerRecord
  readonly state: ContainerState
}

/** First part: finds what lives. Networks are restored for these before `finishRestore` starts anything. */
export async function adoptContainers(context: ContainerContext): Promise<readonly Adopted[]> {
  const adopted: Adopted[] = []
  for (const record of context.containers.all()) {
    try {
      adopted.push({ record, state: await adoptOne(context, record) })
    } catch (error) {
      context.logger.error('container could not be adopted', { container: record.id, error: messageOf(error) })
    }
  }
  return adopted
}

async function adoptOne(context: ContainerContext, record: ContainerRecord): Promise<ContainerState> {
  const wasUp = record.state.status === 'running'
  if (!wasUp && !existsSync(context.paths.bundle(record.id))) return { status: 'unknown' }
  return context.runtime.adopt(record.id)
}

/** Ids of the containers that run. */
export function liveIds(adopted: readonly Adopted[]): ReadonlySet<string> {
  return new Set(adopted.filter(({ state }) => state.status === 'running').map(({ record }) => record.id))
}

/** Second part: records what happened while the daemon was away, removes orphans, lets restart policies act. */
export async function finishRestore(context: ContainerContext, adopted: readonly Adopted[]): Promise<void> {
  for (const one of adopted) {
    try {
      await finishOne(context, one)
    } catch (error) {
      context.logger.error('container could not be restored', { container: one.record.id, error: messageOf(error) })
    }
  }
  await removeOrphans(context)
}

async function finishOne(context: ContainerContext, { record, state }: Adopted): Promise<void> {
  if (state.status === 'running') return resume(context, record, state.pid ?? 0)
  if (record.state.status === 'running') {
    const exit = state.exit ?? { exitCode: 255, finishedAt: new Date(), oomKilled: false }
    handleExit(context, record.id, exit, startLocked)
    return
  }
  if (state.status !== 'unknown') await releaseLeftovers(context, record)
  await applyPolicy(context, record)
}

/** A container that runs. One whose start was not recorded is recorded now. */
function resume(context: ContainerContext, record: ContainerRecord, pid: number): void {
  const startedAt = record.state.status === 'running' ? record.state.startedAt : formatNs(nowNs())
  context.containers.save(withState(record, { status: 'running', pid, startedAt, error: '' }))
  context.live.of(record.id).beginRun()
  watchExit(context, record.id, startLocked)
  resumeRotation(context, record)
}

/** The daemon died while the container was being started, or before it had cleaned up after its end. */
async function releaseLeftovers(context: ContainerContext, record: ContainerRecord): Promise<void> {
  await context.locks.run(record.id, async () => {
    await context.runtime.delete(record.id, { force: true })
    await releaseRun(context, record.id)
  })
}

async function applyPolicy(context: ContainerContext, record: ContainerRecord): Promise<void> {
  const wasStarted = record.state.startedAt !== zeroTime
  if (record.state.status === 'restarting') {
    planRestart(context, record, startLocked)
  } else if (record.hostConfig.AutoRemove === true && record.state.status === 'exited') {
    await context.locks.run(record.id, () => removeRecord(context, record, { volumes: true }))
  } else if (
    shouldStartAtBoot({ Name: record.hostConfig.RestartPolicy?.Name ?? 'no' }, record.stoppedByUser, wasStarted)
  ) {
    context.background.run('start at boot', () => context.locks.run(record.id, () => startLocked(context, record)))
  }
}

/** Bundles, directories and snapshots that no record names. */
async function removeOrphans(context: ContainerContext): Promise<void> {
  const ids = new Set<string>()
  for (const directory of [context.paths.root, context.paths.bundles]) {
    for (const name of existsSync(directory) ? readdirSync(directory) : []) ids.add(name)
  }
  for await (const { key } of context.snapshots.walk()) {
    const [, id] = /^container-([0-9a-f]{64})$/.exec(key) ?? []
    if (id !== undefined) ids.add(id)
  }
  for (const id of ids) {
    if (context.containers.find(id) !== undefined) continue
    context.logger.info('removing what a container left that has no record', { container: id })
    await removeFiles(context, id, { volumes: true })
  }
  context.volumes.restore(new Set(context.containers.all().map(({ id }) => id)))
}
