/** remove: the record goes first, in one step, and with it name, address and ports; then who waits is told, and
 *  the rest (layer, logs, volumes) goes behind their backs. Killed midway: the next boot removes what has no record. */

import { conflict, isKind, notFound } from '../../base/index.ts'
import type { RemoveOptions } from '../../contract/index.ts'
import { dropLinksTo } from '../connections/links.ts'
import { type ContainerRecord, snapshotKey, withState } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { checkVerb, isUp } from '../record/state.ts'
import { unmountRootfs } from '../rootfs/rootfs.ts'
import { endForwarding } from '../streams/log-forwarding.ts'
import { letDie } from './pause.ts'
import { stayDown } from './stay-down.ts'

const sigkill = 9

/** Removes a container. Throws `conflict` when it runs and `force` is not given, or when another client removes it,
 *  `notFound` when there is none. */
export async function removeContainer(
  context: ContainerContext,
  idOrName: string,
  options: RemoveOptions,
): Promise<void> {
  const broken = context.containers.findBroken(idOrName)
  if (broken !== undefined) return removeBroken(context, broken)
  const before = context.containers.get(idOrName)
  const { id } = before
  const live = context.live.of(id)
  if (live.removing) throw conflict(`removal of container ${idOrName} is already in progress`)
  // Without force it may yet be refused: it stands in nobody's way before it is done.
  if (!options.force) return removeAlone(context, before, options)
  live.removing = true
  try {
    await removeAlone(context, before, options)
  } finally {
    live.removing = false
  }
}

async function removeAlone(context: ContainerContext, before: ContainerRecord, options: RemoveOptions): Promise<void> {
  const { id } = before
  checkVerb(options.force ? 'removeForced' : 'remove', before.state.status, id, before.name)
  for (let isGone = false; !isGone; ) {
    if (options.force) await endRun(context, id)
    isGone = await context.locks.run(id, async () => {
      const record = context.containers.find(id)
      // Somebody else removed it while this call waited (auto-remove after the kill).
      if (record === undefined && options.force) return true
      if (record === undefined) throw notFound(`No such container: ${id}`)
      // A start that had been waiting for the lock came first: what runs is ended, and told of, before it goes.
      if (options.force && isUp(record.state.status)) return false
      checkVerb(options.force ? 'removeForced' : 'remove', record.state.status, id, record.name)
      await removeRecord(context, record, options)
      return true
    })
  }
}

/** Removes a container whose record can't be read; its anonymous volumes stay. */
async function removeBroken(context: ContainerContext, id: string): Promise<void> {
  await context.locks.run(id, async () => {
    context.networks.sandboxes.release(id)
    context.containers.delete(id)
    await context.runtime.clear(id)
    await removeFiles(context, id, { volumes: false })
  })
}

/** Kills what runs and waits for its end, without a restart. */
async function endRun(context: ContainerContext, id: string): Promise<void> {
  const live = context.live.of(id)
  // A start that is under way is waited for, then ended.
  while (!isUp(context.containers.find(id)?.state.status ?? 'removing')) {
    if (await stayDown(context, id)) return
  }
  const record = context.containers.get(id)
  context.containers.save(withState(record, {}, { stoppedByUser: true }))
  const stopped = live.nextStop()
  try {
    context.runtime.get(id).kill(sigkill)
    publishContainer(context.events, record, 'kill', { signal: String(sigkill) })
    letDie(context, id)
  } catch (error) {
    // It ended by itself meanwhile; its exit is about to be told.
    if (!isKind(error, 'conflict')) throw error
  }
  await stopped
}

/** Removes a container that does not run and whose lock is held. */
export async function removeRecord(
  context: ContainerContext,
  record: ContainerRecord,
  options: { readonly volumes: boolean },
): Promise<void> {
  const { id } = record
  // A crash after the record is gone: the next boot takes the anonymous volumes away that are still this container's.
  if (!options.volumes && record.mounts.some((mount) => mount.anonymous === true)) {
    await context.volumes.release(id, { removeAnonymous: false })
  }
  context.networks.sandboxes.release(id)
  dropLinksTo(context, id)
  context.containers.delete(id)
  context.labels?.release(record.labels?.process ?? '')
  // A driver need not remove what is mounted.
  if (record.mounts.some(({ type }) => type === 'volume')) await context.volumes.unmountAll(id)
  // Before the answer: the caller may remove a volume that this container used in its next call.
  await context.volumes.release(id, { removeAnonymous: options.volumes })
  publishContainer(context.events, record, 'destroy')
  const { forwarder } = context.live.of(id)
  context.live.of(id).tellRemoval({ exitCode: record.state.exitCode })
  context.live.forget(id)
  context.background.run('remove container files', async () => {
    await endForwarding(context, forwarder)
    await removeFiles(context, id, options)
  })
}

/** Takes away all that a container without a record may have left. Idempotent: the boot calls it for orphans. */
export async function removeFiles(
  context: Uses<'snapshots' | 'volumes' | 'runtime' | 'mounts' | 'trees' | 'paths'>,
  id: string,
  options: { readonly volumes: boolean },
): Promise<void> {
  await unmountRootfs(context, id)
  await context.runtime.delete(id, { force: true })
  await context.volumes.release(id, { removeAnonymous: options.volumes })
  try {
    await context.snapshots.remove(snapshotKey(id))
  } catch (error) {
    if (!isKind(error, 'notFound')) throw error
  }
  await context.trees.remove(context.paths.home(id))
}
