/** `--storage-opt`: a size for the writable layer, to which the file system below it holds. */
import type { HostConfig } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import { sizeInBytes } from '../../config/index.ts'

/** The size that a container's writable layer may have, in bytes: its own, or else the daemon's; undefined for none.
 *  Throws `invalidArgument`, in Docker's words, for other options and for what is no size. */
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
