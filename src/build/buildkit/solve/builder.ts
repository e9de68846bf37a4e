import type { BuildCacheRecord, BuildRequest } from '../../../api/index.ts'
import type { PruneOptions } from '../../cache/prune.ts'
import type { BuildClient } from '../../host/client-host.ts'

/** What the protocol stands on. */
export interface Builder {
  /** `<data-root>/build`. */
  readonly directory: string
  build(
    request: BuildRequest,
    client: BuildClient,
  ): Promise<readonly { readonly id: string | undefined; readonly tags: readonly string[] }[]>
  prune(options: PruneOptions): Promise<{ readonly CachesDeleted: readonly string[] }>
  /** How the cache is kept within bounds. */
  policy(): readonly PruneOptions[]
  /** Mounts the layers up to `chainId`, read-only. */
  openView(chainId: string): Promise<Disposable & { readonly path: string }>
  usage(): Promise<readonly BuildCacheRecord[]>
}
