/** The builder that BuildKit's protocol is translated for. `BuildService` implements it. */
import type { BuildCacheRecord, BuildRequest } from '../../../api/index.ts'
import type { BuildPruneOptions, BuiltImageId } from '../../../contract/index.ts'
import type { BuilderClient } from '../../host/client-host.ts'

/** The builder, as the protocol uses it. */
export interface Builder {
  /** `<data-root>/build`. */
  readonly directory: string
  /** Builds every target. Gives for each its tags and the id of the image in the store, if there is one. */
  build(request: BuildRequest, client: BuilderClient): Promise<readonly BuiltImageId[]>
  /** Removes cached steps and gives their ids. */
  prune(options: BuildPruneOptions): Promise<{ readonly CachesDeleted: readonly string[] }>
  /** The rules by which the cache is pruned automatically. */
  policy(): readonly BuildPruneOptions[]
  /** Mounts the layers up to `chainId`, read-only. */
  openView(chainId: string): Promise<Disposable & { readonly path: string }>
  /** The records of the cache. */
  usage(): Promise<readonly BuildCacheRecord[]>
}
