/** Shows all layers with the owners of a user namespace, without copying them: one ID-mapped mount of the directory of
 *  snapshots, from which overlays are mounted. An overlay keeps its layers, so a container does not need this mount
 *  once its root directory is mounted. Each boot makes the mount again.
 *  mount_setattr(2), "ID-mapped mounts"; overlayfs takes such layers since Linux 5.19. */
import { constants, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { invalidArgument, messageOf } from '../base/index.ts'
import type { IdMappings } from '../oci/index.ts'
import {
  attachMountTree,
  cloneIdMapped,
  closeFd,
  makePrivateDirectory,
  oPath,
  openFd,
  openUserNamespace,
  unmount,
} from '../sys/index.ts'

/** The owners to show, and a place for the mount. */
export interface LayerMapping {
  readonly mappings: IdMappings
  /** The user and group of the host that 0 is mapped to. */
  readonly owner: { readonly uid: number; readonly gid: number }
  /** The directory to mount in; it is made. Only root can enter it: in the mount, the layers belong to the root user of
   *  the containers, who could otherwise change them for all containers. */
  readonly home: string
}

/** The mounted layers. */
export interface MappedLayers {
  /** The same directory of snapshots with mapped owners. */
  readonly root: string
  readonly owner: { readonly uid: number; readonly gid: number }
  release(): void
}

/** Mounts the layers below `root` with mapped owners. Throws `invalidArgument` when the kernel or the file system does
 *  not support this. */
export async function mapLayers(root: string, { mappings, owner, home }: LayerMapping): Promise<MappedLayers> {
  const place = join(home, 'all')
  // A daemon that was killed leaves its mount; older versions mounted the layers on `home` itself.
  for (const path of [place, home]) unmount(path, { lazy: true })
  makePrivateDirectory(home)
  mkdirSync(place, { recursive: true, mode: 0o700 })
  const namespace = await openUserNamespace(mappings)
  try {
    attach(root, namespace, place)
  } catch (cause) {
    throw invalidArgument(
      `userns-remap needs ID-mapped mounts, which this kernel or the file system of ${root} does not have: ${messageOf(cause)}`,
      { cause },
    )
  } finally {
    closeFd(namespace)
  }
  return { root: place, owner, release: () => unmount(place, { lazy: true }) }
}

function attach(root: string, namespace: number, place: string): void {
  const tree = cloneIdMapped(root, namespace)
  try {
    const target = openFd(place, oPath | constants.O_DIRECTORY)
    try {
      attachMountTree(tree, target)
    } finally {
      closeFd(target)
    }
  } finally {
    closeFd(tree)
  }
}
