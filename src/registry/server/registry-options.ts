/** The options of a registry. */
import type { Logger } from '../../base/index.ts'
import type { LocalContents } from './library/local-source.ts'
import type { PullSource } from './library/pull-source.ts'
import type { Authorizer } from './model/authorizer.ts'
import type { RegistryExtension } from './model/registry-extension.ts'
import type { RegistryLimits } from './model/registry-limits.ts'
import type { RegistryObserver } from './model/registry-observer.ts'
import type { RegistryStorage } from './storage/registry-storage.ts'

/** The options of `createRegistry`. */
export interface RegistryOptions {
  /** A folder's path, or a storage that the caller opens and closes. */
  readonly storage: string | RegistryStorage
  /** Decides who may do what. Default: everybody may do everything. */
  readonly authorizer?: Authorizer | undefined
  /** Is informed of every request. */
  readonly observer?: RegistryObserver | undefined
  readonly logger?: Logger | undefined
  readonly limits?: Partial<RegistryLimits> | undefined
  /** Refuse every change with 405 UNSUPPORTED. Default: false. */
  readonly isReadOnly?: boolean | undefined
  /** Whether tags, manifests and blobs may be deleted. Default: true. */
  readonly deleteEnabled?: boolean | undefined
  /** Whether an index is refused while the repository lacks one of its images. Default: true. */
  readonly checksIndexes?: boolean | undefined
  /** The beginning of `Location` headers: none (default), the address that the client used, or the given URL. */
  readonly locations?: 'relative' | 'host' | { readonly publicUrl: string } | undefined
  /** Additional headers of every answer. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** A garbage collection deletes only blobs and links that are older than this. Every process on the storage needs the
   *  same value. Default: one hour. */
  readonly garbageGraceMs?: number | undefined
  /** A garbage collection drops uploads that got no bytes for this time. Default: one day. */
  readonly uploadMaxAgeMs?: number | undefined
  /** Answer paths outside the distribution protocol. */
  readonly extensions?: readonly RegistryExtension[] | undefined
  /** Makes the source of pulls, for example a cache of another registry. Default: the registry's own contents. */
  readonly pullSource?: ((local: LocalContents) => PullSource) | undefined
}
