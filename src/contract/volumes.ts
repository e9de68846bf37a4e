/** What the `/volumes` routes ask of an engine. */
import type { Filters, Volume, VolumeCreateBody, VolumeListResponse, VolumesPruneResponse } from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'

/** How a volume is read. */
export interface BackupOptions extends AbortOptions {
  /** Freezes the containers that use the volume while it is read. */
  readonly pause: boolean
  readonly compression: 'none' | 'gzip' | 'zstd'
}

/** How a volume's content is replaced. */
export interface RestoreOptions extends AbortOptions {
  /** Freezes the containers that use the volume while its content changes. */
  readonly pause: boolean
  /** Replaces the content of a volume that is not empty. */
  readonly force: boolean
}

/** What the `/volumes` routes call. A volume that does not exist rejects with `notFound`. */
export interface VolumeBackend {
  list(filters: Filters): Promise<VolumeListResponse>
  inspect(name: string): Promise<Volume>
  /** Gives the volume that exists already when its driver and options are the same. */
  create(request: VolumeCreateBody): Promise<Volume>
  /** Rejects with `conflict` when a container uses the volume. With `force`, a volume that does not exist is no error. */
  remove(name: string, options: { readonly force: boolean }): Promise<void>
  /** Removes the anonymous volumes that no container uses; with the filter `all` the named ones as well. */
  prune(filters: Filters): Promise<VolumesPruneResponse>
  /** The content as a tar stream, which must be read to its end or returned. */
  backup(name: string, options: BackupOptions): Promise<AsyncIterable<Buffer>>
  /** Replaces the content by that of a tar stream, all of it or nothing; creates a volume that does not exist. Rejects
   *  with `conflict` for a volume that is not empty, unless forced. */
  restore(name: string, source: AsyncIterable<Buffer>, options: RestoreOptions): Promise<Volume>
}
