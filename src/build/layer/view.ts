/** The files of a committed stack of layers, held by a descriptor only: the mount has no place in the file system, so
 *  nothing of it is left when the daemon is killed. */
import { close, constants, mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { newId } from '../../base/index.ts'
import { mount, openFd, unmount } from '../../sys/index.ts'
import type { BuildParts } from '../model/build-parts.ts'

export interface LayersView extends Disposable {
  /** Lasts while the view does. */
  readonly path: string
}

/** Mounts the layers up to `chainId`, read-only. */
export async function openView({ snapshots, runtime }: BuildParts, chainId: string): Promise<LayersView> {
  const mounts = await snapshots.mounts(chainId)
  // A bundle's name, so that a boot takes away what is left of a daemon that was killed right here.
  const bundle = runtime.bundle(newId())
  const place = join(bundle, 'rootfs')
  mkdirSync(place, { recursive: true, mode: 0o700 })
  let fd: number
  try {
    for (const one of mounts) mount(one, place)
    fd = openFd(place, constants.O_RDONLY | constants.O_DIRECTORY)
  } finally {
    unmount(place, { lazy: true })
    rmdirSync(place)
    rmdirSync(bundle)
  }
  return {
    path: `/proc/self/fd/${fd}`,
    [Symbol.dispose]: () => close(fd),
  }
}
