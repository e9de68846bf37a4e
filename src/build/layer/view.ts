/** A read-only view of a committed stack of layers. The mount is detached and only held by a file descriptor, so
 *  nothing remains when the daemon is killed. */
import { close, constants, mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { newId } from '../../base/index.ts'
import { mount, openFd, unmount } from '../../sys/index.ts'
import type { BuildParts } from '../model/build-parts.ts'

/** The files of a stack of layers, until the view is disposed of. */
export interface LayersView extends Disposable {
  /** A path through the descriptor. Valid until the view is disposed of. */
  readonly path: string
}

/** Mounts the layers up to `chainId`, read-only. Throws `notFound` for an unknown chain id. */
export async function openView({ snapshots, runtime }: BuildParts, chainId: string): Promise<LayersView> {
  const mounts = await snapshots.mounts(chainId)
  // Named like a container's bundle, so that the next boot cleans up if the daemon is killed right here.
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
