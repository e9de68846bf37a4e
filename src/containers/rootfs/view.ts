/** A container's files, or its image's, as one tree, held by a descriptor only: the mount has no place in the
 *  file system, so nothing of it is left when the daemon is killed, and it lasts while a stopping container's own
 *  mount is taken away. */
import { close, constants, mkdirSync, rmdirSync } from 'node:fs'
import { errnoOf } from '../../base/index.ts'
import { type Mount, openFd } from '../../sys/index.ts'
import { remapOf } from '../isolation/user-namespaces.ts'
import { type ContainerRecord, snapshotKey } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { isUp } from '../record/state.ts'

const oDirectory = constants.O_RDONLY | constants.O_DIRECTORY

/** A descriptor of a directory; disposing it closes it behind the caller's back. */
export interface View extends Disposable {
  readonly fd: number
  /** The directory as a path that lasts while the view does. */
  readonly path: string
}

/** What a container sees, without what is mounted inside it. */
export async function viewContainer(
  context: Uses<'snapshots' | 'mounts' | 'paths' | 'remap'>,
  record: ContainerRecord,
): Promise<View> {
  const { id, state } = record
  if (isUp(state.status)) return viewOf(openFd(context.paths.rootfs(id), oDirectory))
  // Read-only, so that a start meanwhile can have the writable layer for itself.
  const mapped = remapOf(context, record.hostConfig) !== undefined
  return openView(context, await context.snapshots.mounts(snapshotKey(id), { readOnly: true, mapped }))
}

/** What the container's image has; undefined for an image without layers. */
export async function viewImage(
  context: Uses<'snapshots' | 'mounts' | 'paths'>,
  { image }: Pick<ContainerRecord, 'image'>,
): Promise<View | undefined> {
  if (image.chainId === '') return undefined
  return openView(context, await context.snapshots.mounts(image.chainId))
}

/** Takes away the mount that a daemon left that was killed between the two calls of `openView`. */
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

/** Takes the descriptor over. */
export function viewOf(fd: number): View {
  let isOpen = true
  return {
    fd,
    path: `/proc/self/fd/${fd}`,
    [Symbol.dispose]() {
      if (!isOpen) return
      isOpen = false
      // By the thread pool: with the last descriptor the mount goes, which may have to write back what is dirty.
      close(fd)
    },
  }
}
