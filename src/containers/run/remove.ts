/** remove: deletes the record first, and with it the name, addresses and ports, in one step. Then clients that wait are
 *  answered, and the layer, log and volumes are deleted in the background. If the daemon is killed midway, the next
 *  boot deletes what has no record. */

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

/** Removes a container. Throws `notFound` if there is none, and `conflict` if it runs without `force` or if another
 *  client is already removing it. */
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
  // A removal without `force` may still be refused, so it does not block other removals before it is done.
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
      // Another removal was first while this call waited, for example the automatic one after the kill.
      if (record === undefined && options.force) return true
      if (record === undefined) throw notFound(`No such container: ${id}`)
      // A start that waited for the lock came first: the container is killed, and its end reported, before it is
      // removed.
      if (options.force && isUp(record.state.status)) return false
      checkVerb(options.force ? 'removeForced' : 'remove', record.state.status, id, record.name)
      await removeRecord(context, record, options)
      return true
    })
  }
}

/** Removes a container whose record can't be read. Its anonymous volumes stay. */
async function removeBroken(context: ContainerContext, id: string): Promise<void> {
  await context.locks.run(id, async () => {
    context.networks.sandboxes.release(id)
    context.containers.delete(id)
    await context.runtime.clear(id)
    await removeFiles(context, id, { volumes: false })
  })
}

/** Kills a running container and waits for its end. Prevents a restart by policy. */
async function endRun(context: ContainerContext, id: string): Promise<void> {
  const live = context.live.of(id)
  // If a start is under way, waits for it and then kills the container.
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
    // The container ended by itself in the meantime; its exit is about to be handled.
    if (!isKind(error, 'conflict')) throw error
  }
  await stopped
}

/** Removes a container that does not run. The caller holds the container's lock. */
export async function removeRecord(
  context: ContainerContext,
  record: ContainerRecord,
  options: { readonly volumes: boolean },
): Promise<void> {
  const { id } = record
  // If the daemon dies after the record is deleted, the next boot removes all anonymous volumes that this container
  // still references. So the ones to keep are dereferenced first.
  if (!options.volumes && record.mounts.some((mount) => mount.anonymous === true)) {
    await context.volumes.release(id, { removeAnonymous: false })
  }
  context.networks.sandboxes.release(id)
  dropLinksTo(context, id)
  context.containers.delete(id)
  context.labels?.release(record.labels?.process ?? '')
  // A volume driver need not remove a mounted volume.
  if (record.mounts.some(({ type }) => type === 'volume')) await context.volumes.unmountAll(id)
  // Done before the answer, because the caller's next request may remove a volume that this container used.
  await context.volumes.release(id, { removeAnonymous: options.volumes })
  publishContainer(context.events, record, 'destroy')
  const { status, exitCode } = record.state
  const hasRun = status !== 'created' || exitCode !== 0
  if (hasRun && record.hostConfig.AutoRemove === true) context.live.removedExits.remember({ ...record, exitCode })
  const { forwarder } = context.live.of(id)
  context.live.of(id).tellRemoval({ exitCode })
  context.live.forget(id)
  context.background.run('remove container files', async () => {
    await endForwarding(context, forwarder)
    await removeFiles(context, id, options)
  })
}

/** Deletes everything that a container without a record may leave. Idempotent: the boot calls it for orphans. */
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
