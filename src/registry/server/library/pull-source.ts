/** The interface for the source of pulls: the registry's own storage (local-source.ts), or something in front of it
 *  such as a pull-through cache, passed to `createRegistry` as `pullSource`. */
import type { Readable } from 'node:stream'
import type { AbortOptions } from '../../../base/index.ts'
import type { BlobDigest } from '../model/blob-digest.ts'
import type { ByteRange, ListOptions, ObjectReader } from '../storage/registry-storage.ts'

/** A tag or a digest, by which a client names a manifest. */
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
  /** Opens the bytes as a stream. The range must be within the blob. Rejects with `notFound` if the blob was
   *  deleted. */
  open(range?: ByteRange & AbortOptions): Promise<Readable>
  /** Opens the bytes for reading into given memory. Absent or undefined if only `open` works. */
  openReader?(): Promise<ObjectReader | undefined>
}

/** A manifest with a subject, as the referrers API shows it. */
export interface Referrer {
  readonly mediaType: string
  readonly digest: BlobDigest
  readonly size: number
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, unknown>>
}

/** One page of a list of names, in the order of the storage. */
export interface NamePage {
  readonly names: readonly string[]
  /** The `after` of the next page; undefined on the last page. */
  readonly next: string | undefined
}

/** Options of `findManifest` and `findBlob`. */
export interface FindOptions extends AbortOptions {
  /** The client needs only existence, digest and size (HEAD). */
  readonly isHead?: boolean | undefined
}

/** Where clients' pulls come from. */
export interface PullSource {
  /** If false, clients that push get 405 UNSUPPORTED. */
  readonly acceptsPush: boolean
  /** True if the source has the images of registry `namespace`. Clients of mirrors name it with `?ns=docker.io`.
   *  Default: it has the images of every registry. */
  serves?(namespace: string): boolean
  /** The manifest; undefined if the repository has none with that reference. */
  findManifest(
    repository: string,
    reference: ManifestReference,
    options?: FindOptions,
  ): Promise<StoredManifest | undefined>
  /** The blob; undefined if the repository has none with that digest. */
  findBlob(repository: string, digest: BlobDigest, options?: FindOptions): Promise<StoredBlob | undefined>
  /** A page of the repository's tags; undefined if there is no such repository. */
  listTags(repository: string, options: ListOptions & AbortOptions): Promise<NamePage | undefined>
  /** The manifests with this subject. If absent or undefined, the registry lists those in its own storage. */
  listReferrers?(repository: string, subject: BlobDigest): Promise<readonly Referrer[] | undefined>
  /** A page of all repositories. */
  listRepositories(options: ListOptions & AbortOptions): Promise<NamePage>
}
