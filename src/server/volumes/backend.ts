import type { Volume, VolumeCreateBody, VolumeListResponse, VolumesPruneResponse } from '../../api/index.ts'
import type { Filters } from '../containers/index.ts'

/** What the `/volumes` routes call. */
export interface VolumeBackend {
  list(filters: Filters): Promise<VolumeListResponse>
  inspect(name: string): Promise<Volume>
  /** Answers the one that exists when its driver and options are the same. */
  create(request: VolumeCreateBody): Promise<Volume>
  remove(name: string, options: { readonly force: boolean }): Promise<void>
  prune(filters: Filters): Promise<VolumesPruneResponse>
}
