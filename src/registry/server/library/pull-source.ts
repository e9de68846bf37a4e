/** Where what clients pull comes from: the registry's own storage (local-source.ts), or something in front of it
 *  such as a pull-through cache, given to `createRegistry` as `pullSource`. */
import type { Readable } from 'node:stream'
import type { AbortOptions } from '../../../base/index.ts'
import type { BlobDigest } from '../model/blob-digest.ts'
import type { ByteRange, ListOptions, ObjectReader } from '../storage/registry-storage.ts'

/** What a manifest is asked for by. */
export type ManifestReference =
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'digest'; readonly digest: BlobDigest }

/** A manifest, byte for byte as it was pushed. */
export interface StoredManifest {
  readonly digest: BlobDigest
  readonly mediaType: string
  readonly bytes: Buffer
}

/** A blob that a repository has. */
export interface StoredBlob {
  readonly digest: BlobDigest
  readonly sizeBytes: number
  /** Its bytes as they are wanted. The range lies within the blob. */
  open(range?: ByteRange & AbortOptions): Promise<Readable>
  /** The same into given memory, where the storage can do that; undefined where `open` has to do after all. */
  openReader?(): Promise<ObjectReader | undefined>
}

/** A manifest that names another one as its subject, as the API shows it. */
export interface Referrer {
  readonly mediaType: string
  readonly digest: BlobDigest
  readonly size: number
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, unknown>>
}

/** Names, sorted by their storage's order, and what to give as `after` for more. */
export interface NamePage {
  readonly names: readonly string[]
  readonly next: string | undefined
}

export interface FindOptions extends AbortOptions {
  /** Only whether it exists, its digest and its size are wanted (HEAD). */
  readonly isHead?: boolean | undefined
}

export interface PullSource {
  /** False when clients may not push: they get 405 UNSUPPORTED. */
  readonly acceptsPush: boolean
  /** Whether images of that registry are what it gives: clients of mirrors add `?ns=docker.io`. Absent: of any. */
  serves?(namespace: string): boolean
  /** The manifest, or undefined when the repository has none of that name. */
  findManifest(
    repository: string,
    reference: ManifestReference,
    options?: FindOptions,
  ): Promise<StoredManifest | undefined>
  /** The blob, or undefined when the repository has none of that digest. */
  findBlob(repository: string, digest: BlobDigest, options?: FindOptions): Promise<StoredBlob | undefined>
  /** The repository's tags after `after`; undefined when there is no such repository. */
  listTags(repository: string, options: ListOptions & AbortOptions): Promise<NamePage | undefined>
  /** What names `subject`; undefined when that can't be told now. Absent: what the registry's own storage has. */
  listReferrers?(repository: string, subject: BlobDigest): Promise<readonly Referrer[] | undefined>
  /** Every repository after `after`. */
  listRepositories(options: ListOptions & AbortOptions): Promise<NamePage>
}
