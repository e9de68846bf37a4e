/** `--storage-opt`: a size limit for the writable layer, enforced by the file system below it. */
import type { HostConfig } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import { sizeInBytes } from '../../config/index.ts'

/** The size limit of a container's writable layer in bytes: the container's own, or else the daemon's; undefined for
 *  none. Throws `invalidArgument`, in Docker's words, for other options and for a text that is not a size. */
export function layerSizeOf(
  { StorageOpt: options }: HostConfig,
  { layerSizeBytes }: { readonly layerSizeBytes: number | undefined },
): number | undefined {
  let size = layerSizeBytes
  for (const [name, value] of Object.entries(options ?? {})) {
    if (name.toLowerCase() !== 'size') throw invalidArgument(`Unknown option ${name}`)
    size = sizeInBytes(value)
    if (size === undefined) throw invalidArgument(`invalid size: '${value}'`)
  }
  return size
}
