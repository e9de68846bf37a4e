import type { Volume, VolumeCreateBody, VolumeListResponse, VolumesPruneResponse } from '../../api/index.ts'
import type { AbortOptions } from '../../base/index.ts'
import type { Filters } from '../containers/index.ts'

/** What the `/volumes` routes call. */
export interface VolumeBackend {
  list(filters: Filters): Promise<VolumeListResponse>
  inspect(name: string): Promise<Volume>
  /** Answers the one that exists when its driver and options are the same. */
  create(request: VolumeCreateBody): Promise<Volume>
  remove(name: string, options: { readonly force: boolean }): Promise<void>
  prune(filters: Filters): Promise<VolumesPruneResponse>
  /** The content as a tar stream. */
  backup(name: string, options: BackupOptions): Promise<AsyncIterable<Buffer>>
  /** Replaces the content; makes a volume that is not there. */
  restore(name: string, source: AsyncIterable<Buffer>, options: RestoreOptions): Promise<Volume>
}

export interface BackupOptions extends AbortOptions {
  /** Containers that use it stand still. */
  readonly pause: boolean
  readonly compression: 'none' | 'gzip' | 'zstd'
}

export interface RestoreOptions extends AbortOptions {
  readonly pause: boolean
  /** Also when the volume is not empty. */
  readonly force: boolean
}
