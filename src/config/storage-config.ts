/** `storage-opts`: the options of Docker's storage driver overlay2.
 *  https://docs.docker.com/reference/cli/dockerd/#overlay2-options */
import { invalidArgument } from '../base/index.ts'
import { sizeInBytes } from './options/values.ts'

/** What the options say on the size of writable layers, in bytes; undefined for no limit. Throws `invalidArgument` that
 *  names the option. */
export function writableLayerBytes(options: readonly string[]): number | undefined {
  let size: number | undefined
  for (const option of options) {
    const [, key, value = ''] = /^([^=]+)=(.*)$/.exec(option.trim()) ?? []
    if (key === undefined) throw invalidArgument(`storage-opts: unable to parse key/value option: "${option}"`)
    switch (key.toLowerCase()) {
      case 'overlay2.size':
        size = sizeInBytes(value)
        if (size === undefined) throw invalidArgument(`storage-opts: overlay2.size: invalid size: '${value}'`)
        break
      case 'overlay2.override_kernel_check':
        // It means nothing to Docker either, since its kernels are all new enough.
        if (!/^(1|t|true|0|f|false)$/i.test(value)) {
          throw invalidArgument(`storage-opts: overlay2.override_kernel_check: "${value}" is neither true nor false`)
        }
        break
      default:
        throw invalidArgument(`storage-opts: "${key}": the storage driver overlay2 has no such option`)
    }
  }
  return size === 0 ? undefined : size
}
