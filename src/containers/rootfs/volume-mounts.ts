/** Prepares the volumes of a new container (creates missing ones, records the container as a user, fills empty ones
 *  from the image), and mounts those of a run if their driver needs that. */
import { constants, mkdirSync, rmdirSync, statSync } from 'node:fs'
import type { HostConfig } from '../../api/index.ts'
import { errnoOf, invalidArgument, isKind, messageOf } from '../../base/index.ts'
import { closeFd, openInRoot } from '../../sys/index.ts'
import { remapOf } from '../isolation/user-namespaces.ts'
import { type ContainerMount, type ContainerRecord, snapshotKey, withChanges } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import type { PlannedMount } from './mount-plan.ts'
import { makeRootfsPlace, unmountRootfs, withRoot } from './rootfs.ts'

/** Gives the planned mounts with their sources on the host. */
export async function prepareVolumes(
  context: Uses<'images' | 'snapshots' | 'volumes' | 'mounts' | 'paths' | 'remap'>,
  id: string,
  hostConfig: HostConfig,
  planned: readonly PlannedMount[],
): Promise<ContainerMount[]> {
  const mounts: ContainerMount[] = []
  const toFill: ContainerMount[] = []
  for (const one of planned) {
    const ready = await prepareOne(context, id, one)
    mounts.push(ready)
    if (one.copyUp === true) toFill.push(ready)
  }
  if (toFill.length > 0) await fillFromImage(context, id, toFill, remapOf(context, hostConfig) !== undefined)
  return mounts
}

async function prepareOne(
  context: Uses<'images' | 'volumes'>,
  id: string,
  planned: PlannedMount,
): Promise<ContainerMount> {
  const { copyUp: _copyUp, volumeLabels, volumeDriver, volumeOptions, makeSource, ...mount } = planned
  if (mount.type === 'bind') checkSource(mount.source, makeSource === true)
  if (mount.type === 'image') return { ...mount, image: mount.image ?? imageOf(context, mount.name ?? '') }
  if (mount.type !== 'volume' || mount.name === undefined) return mount
  const { source, driver } = await acquire(context, mount.name, id, {
    anonymous: mount.anonymous === true,
    ...(volumeLabels === undefined ? {} : { labels: volumeLabels }),
    ...(volumeDriver === undefined ? {} : { driver: volumeDriver }),
    ...(volumeOptions === undefined ? {} : { options: volumeOptions }),
  })
  const { driver: _inherited, ...rest } = mount
  return { ...rest, source, ...(driver === 'local' ? {} : { driver }) }
}

/** Mounts those of the record's volumes whose drivers need it, for `holder`, which must unmount them. Gives the record
 *  with the volumes' paths on the host. */
export async function mountVolumes(
  context: Uses<'volumes'>,
  record: ContainerRecord,
  holder = record.id,
): Promise<ContainerRecord> {
  let isSame = true
  const mounts: ContainerMount[] = []
  for (const one of record.mounts) {
    const source =
      one.type === 'volume' && one.name !== undefined ? await context.volumes.mount(one.name, holder) : one.source
    isSame &&= source === one.source
    mounts.push(source === one.source ? one : { ...one, source })
  }
  return isSame ? record : withChanges(record, { mounts })
}

/** Throws `invalidArgument` for an unknown driver: at a 404 the client would pull the container's image. */
async function acquire(
  context: Uses<'volumes'>,
  name: string,
  id: string,
  request: Parameters<ContainerContext['volumes']['acquire']>[2],
): ReturnType<ContainerContext['volumes']['acquire']> {
  try {
    return await context.volumes.acquire(name, id, request)
  } catch (cause) {
    if (isKind(cause, 'notFound')) throw invalidArgument(messageOf(cause), { cause })
    throw cause
  }
}

/** Throws `invalidArgument` for an unknown image: at a 404 the client would pull the container's own image. */
function imageOf(context: Uses<'images'>, reference: string): NonNullable<ContainerMount['image']> {
  try {
    const { id, chainId } = context.images.resolve(reference)
    return { id, chainId: chainId ?? '' }
  } catch (cause) {
    if (isKind(cause, 'notFound')) throw invalidArgument(`No such image: ${reference}`, { cause })
    throw cause
  }
}

function checkSource(source: string, make: boolean): void {
  try {
    statSync(source)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    if (!make) throw invalidArgument(`invalid mount config for type "bind": bind source path does not exist: ${source}`)
    mkdirSync(source, { recursive: true })
  }
}

async function fillFromImage(
  context: Uses<'snapshots' | 'volumes' | 'mounts' | 'paths' | 'remap'>,
  id: string,
  volumes: readonly ContainerMount[],
  mapped: boolean,
): Promise<void> {
  const target = context.paths.rootfs(id)
  makeRootfsPlace(context, id)
  for (const layer of await context.snapshots.mounts(snapshotKey(id), { mapped })) context.mounts.mount(layer, target)
  try {
    for (const volume of volumes) await fillOne(context, id, volume)
  } finally {
    await unmountRootfs(context, id)
    rmdirSync(context.paths.bundle(id))
  }
}

/** The image's author decides what is at the destination, so it is resolved without leaving the image's root. */
async function fillOne(context: Uses<'volumes' | 'paths'>, id: string, volume: ContainerMount): Promise<void> {
  const fd = withRoot(context.paths.rootfs(id), (rootFd) => openDirectory(rootFd, volume.destination))
  if (fd === undefined) return
  try {
    await context.volumes.copyUp(`/proc/self/fd/${fd}`, volume.name ?? '', id)
  } finally {
    closeFd(fd)
  }
}

function openDirectory(rootFd: number, path: string): number | undefined {
  try {
    return openInRoot(rootFd, path, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
