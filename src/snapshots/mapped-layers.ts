/** All layers with the owners of a user namespace, without a copy: one ID-mapped mount of the directory of snapshots,
 *  from which overlays are mounted. An overlay keeps its layers by itself, so containers do not need it any more once
 *  they have their root directory; a boot makes it anew.
 *  mount_setattr(2), "ID-mapped mounts"; overlayfs takes such layers since Linux 5.19 */
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

/** Which owners, and where the mount can be. */
export interface LayerMapping {
  readonly mappings: IdMappings
  /** Whom 0 is mapped to. */
  readonly owner: { readonly uid: number; readonly gid: number }
  /** A directory that is made for it. Only root can enter it: in the mount the layers belong to the root user of
   *  containers, who could change them for everybody. */
  readonly home: string
}

export interface MappedLayers {
  /** The mapped twin of the directory of snapshots. */
  readonly root: string
  readonly owner: { readonly uid: number; readonly gid: number }
  release(): void
}

/** Throws `invalidArgument` where kernel or file system can't do it. */
export async function mapLayers(root: string, { mappings, owner, home }: LayerMapping): Promise<MappedLayers> {
  const place = join(home, 'all')
  // Left by a daemon that was killed; older versions mounted the layers on `home` itself.
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
