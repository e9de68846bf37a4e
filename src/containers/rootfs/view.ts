/** The files of a container or its image as one tree that only a descriptor holds. The mount has no path in the file
 *  system. So the kernel drops it if the daemon is killed, and it stays usable while a stopping container's own mount
 *  is removed. */
import { close, constants, mkdirSync, rmdirSync } from 'node:fs'
import { errnoOf } from '../../base/index.ts'
import { type Mount, openFd } from '../../sys/index.ts'
import { remapOf } from '../isolation/user-namespaces.ts'
import { type ContainerRecord, snapshotKey } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { isUp } from '../record/state.ts'

const oDirectory = constants.O_RDONLY | constants.O_DIRECTORY

/** A descriptor of a directory. Disposing the view closes it in the background. */
export interface View extends Disposable {
  readonly fd: number
  /** A path to the directory, valid as long as the view is open. */
  readonly path: string
}

/** The files of a container, without what is mounted inside it. */
export async function viewContainer(
  context: Uses<'snapshots' | 'mounts' | 'paths' | 'remap'>,
  record: ContainerRecord,
): Promise<View> {
  const { id, state } = record
  if (isUp(state.status)) return viewOf(openFd(context.paths.rootfs(id), oDirectory))
  // Read-only, so that a start in the meantime can use the writable layer.
  const mapped = remapOf(context, record.hostConfig) !== undefined
  return openView(context, await context.snapshots.mounts(snapshotKey(id), { readOnly: true, mapped }))
}

/** The files of the container's image; undefined for an image without layers. */
export async function viewImage(
  context: Uses<'snapshots' | 'mounts' | 'paths'>,
  { image }: Pick<ContainerRecord, 'image'>,
): Promise<View | undefined> {
  if (image.chainId === '') return undefined
  return openView(context, await context.snapshots.mounts(image.chainId))
}

/** Removes the mount that is left if a daemon is killed inside `openView`. */
export function clearView(context: Uses<'mounts' | 'paths'>): void {
  try {
    context.mounts.unmount(context.paths.view)
    rmdirSync(context.paths.view)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

function openView(context: Uses<'mounts' | 'paths'>, mounts: readonly Mount[]): View {
  clearView(context)
  mkdirSync(context.paths.view, { mode: 0o700 })
  try {
    for (const layer of mounts) context.mounts.mount(layer, context.paths.view)
    return viewOf(openFd(context.paths.view, oDirectory))
  } finally {
    clearView(context)
  }
}

/** Makes a view that takes over the descriptor. */
export function viewOf(fd: number): View {
  let isOpen = true
  return {
    fd,
    path: `/proc/self/fd/${fd}`,
    [Symbol.dispose]() {
      if (!isOpen) return
      isOpen = false
      // In the thread pool: closing the last descriptor ends the mount, which may write dirty pages to disk.
      close(fd)
    },
  }
}
