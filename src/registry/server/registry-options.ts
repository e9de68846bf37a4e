/** How a registry is set up. */
import type { Logger } from '../../base/index.ts'
import type { LocalContents } from './library/local-source.ts'
import type { PullSource } from './library/pull-source.ts'
import type { Authorizer } from './model/authorizer.ts'
import type { RegistryExtension } from './model/registry-extension.ts'
import type { RegistryLimits } from './model/registry-limits.ts'
import type { RegistryObserver } from './model/registry-observer.ts'
import type { RegistryStorage } from './storage/registry-storage.ts'

export interface RegistryOptions {
  /** Where everything is kept: a folder's path, or a storage, which the caller closes. */
  readonly storage: string | RegistryStorage
  /** Who may do what. Default: everybody everything. */
  readonly authorizer?: Authorizer | undefined
  /** Hears of every request. */
  readonly observer?: RegistryObserver | undefined
  readonly logger?: Logger | undefined
  readonly limits?: Partial<RegistryLimits> | undefined
  /** Refuses all that would change something: 405 UNSUPPORTED. */
  readonly isReadOnly?: boolean | undefined
  /** Whether tags, manifests and blobs may be deleted. Default: yes. */
  readonly deleteEnabled?: boolean | undefined
  /** Whether all images of an index must be in the repository when it is pushed. Default: yes. */
  readonly checksIndexes?: boolean | undefined
  /** How `Location` headers begin: with nothing (default), with what the client called this server, or with this. */
  readonly locations?: 'relative' | 'host' | { readonly publicUrl: string } | undefined
  /** Headers of every answer. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Blobs and links are collected only when they are older than this. The same in every process on the storage.
   *  Default: an hour. */
  readonly garbageGraceMs?: number | undefined
  /** Uploads that got no bytes for so long are dropped by a garbage collection. Default: a day. */
  readonly uploadMaxAgeMs?: number | undefined
  /** What answers paths that are not the distribution protocol's. */
  readonly extensions?: readonly RegistryExtension[] | undefined
  /** Puts something in front of what is stored here, such as a cache of another registry. */
  readonly pullSource?: ((local: LocalContents) => PullSource) | undefined
}
