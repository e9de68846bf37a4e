/** Makes the volumes of a new container ready: made when missing, noted as used, filled from the image when empty. */
import { constants, mkdirSync, rmdirSync, statSync } from 'node:fs'
import { errnoOf, invalidArgument } from '../base/index.ts'
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
  for (const { copyUp, volumeLabels, makeSource, ...rest } of planned) {
    if (rest.type === 'bind') checkSource(rest.source, makeSource === true)
    if (rest.type !== 'volume' || rest.name === undefined) {
      mounts.push(rest)
      continue
    }
    const source = await context.volumes.acquire(rest.name, id, {
      anonymous: rest.anonymous === true,
      ...(volumeLabels === undefined ? {} : { labels: volumeLabels }),
    })
    const ready = { ...rest, source }
    mounts.push(ready)
    if (copyUp === true) toFill.push(ready)
  }
  if (toFill.length > 0) await fillFromImage(context, id, toFill)
  return mounts
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
