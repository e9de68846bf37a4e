/** Makes the volumes of a new container ready: made when missing, noted as used, filled from the image when empty. */
import { constants, mkdirSync, rmdirSync, statSync } from 'node:fs'
import { errnoOf, invalidArgument, isKind, messageOf } from '../base/index.ts'
import { closeFd, mount, openInRoot } from '../sys/index.ts'
import { type ContainerMount, snapshotKey } from './container-record.ts'
import type { ContainerContext } from './dependencies.ts'
import type { PlannedMount } from './mount-plan.ts'
import { unmountRootfs, withRoot } from './rootfs.ts'

/** Gives the planned mounts with their sources on the host. */
export async function prepareVolumes(
  context: ContainerContext,
  id: string,
  planned: readonly PlannedMount[],
): Promise<ContainerMount[]> {
  const mounts: ContainerMount[] = []
  const toFill: ContainerMount[] = []
  for (const { copyUp, volumeLabels, volumeDriver, volumeOptions, makeSource, ...rest } of planned) {
    if (rest.type === 'bind') checkSource(rest.source, makeSource === true)
    if (rest.type === 'image') {
      mounts.push({ ...rest, image: rest.image ?? imageOf(context, rest.name ?? '') })
      continue
    }
    if (rest.type !== 'volume' || rest.name === undefined) {
      mounts.push(rest)
      continue
    }
    const source = await acquire(context, rest.name, id, {
      anonymous: rest.anonymous === true,
      ...(volumeLabels === undefined ? {} : { labels: volumeLabels }),
      ...(volumeDriver === undefined ? {} : { driver: volumeDriver }),
      ...(volumeOptions === undefined ? {} : { options: volumeOptions }),
    })
    const ready = { ...rest, source }
    mounts.push(ready)
    if (copyUp === true) toFill.push(ready)
  }
  if (toFill.length > 0) await fillFromImage(context, id, toFill)
  return mounts
}

/** Throws `invalidArgument` for a driver that is not there: a 404 would have the client pull the container's image. */
async function acquire(
  context: ContainerContext,
  name: string,
  id: string,
  request: Parameters<ContainerContext['volumes']['acquire']>[2],
): Promise<string> {
  try {
    return await context.volumes.acquire(name, id, request)
  } catch (cause) {
    if (isKind(cause, 'notFound')) throw invalidArgument(messageOf(cause), { cause })
    throw cause
  }
}

/** Throws `invalidArgument` for an image that is not there: a 404 would have the client pull the container's own. */
function imageOf(context: ContainerContext, reference: string): NonNullable<ContainerMount['image']> {
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

async function fillFromImage(context: ContainerContext, id: string, volumes: readonly ContainerMount[]): Promise<void> {
  const target = context.paths.rootfs(id)
  mkdirSync(target, { recursive: true })
  for (const layer of await context.snapshots.mounts(snapshotKey(id))) mount(layer, target)
  try {
    for (const volume of volumes) await fillOne(context, target, volume)
  } finally {
    await unmountRootfs(context, id)
    rmdirSync(context.paths.bundle(id))
  }
}

/** The image decides what is at the destination, so it is looked up without leaving the image's root. */
async function fillOne(context: ContainerContext, root: string, volume: ContainerMount): Promise<void> {
  const fd = withRoot(root, (rootFd) => openDirectory(rootFd, volume.destination))
  if (fd === undefined) return
  try {
    await context.volumes.copyUp(`/proc/self/fd/${fd}`, volume.name ?? '')
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
