/** The content store: blobs, immutable bytes addressed by their digest, and ingests, unfinished writes that
 *  become blobs.
 *
 *  An ingest is found again by its key after a restart and goes on at its `offset`. `commit` makes it a blob
 *  if digest and size are what was expected; committing a blob that exists already is no error. Reading a
 *  blob that isn't there throws `notFound`. */
import type { Readable } from 'node:stream'
import type { Digest, DigestAlgorithm } from '../oci/index.ts'

export interface BlobInfo {
  readonly digest: Digest
  readonly sizeBytes: number
}

/** What the bytes of an ingest must be; what is left out isn't checked. */
export interface ExpectedBlob {
  readonly digest?: Digest | undefined
  readonly sizeBytes?: number | undefined
}

export interface IngestOptions {
  /** False when the writer computes the digest itself in the same pass and hands it to `commit`. */
  readonly hashing?: boolean
}

/** An unfinished write. At most one per key is open at a time. */
export interface Ingest {
  readonly key: string
  /** Bytes that are there: where to go on. */
  readonly offset: number
  /** The file that holds the bytes, when it is one: others may read it while it grows. */
  readonly path?: string
  /** Appends; synchronous, for it is a copy into the page cache. */
  write(chunk: Uint8Array): void
  /** Forgets all bytes: the source can't resume. */
  restart(): void
  /** Makes it a blob. Throws `dataLoss`, and drops the ingest, when it isn't what was expected.
   *  `computed` is the digest of all bytes when the ingest doesn't hash. */
  commit(expected?: ExpectedBlob, computed?: Digest): Promise<BlobInfo>
  /** Closes it and keeps its bytes for a later `ingest` of the key. */
  close(): void
  /** Drops it. */
  abort(): Promise<void>
}

/** Reads blobs. */
export interface ContentReader {
  find(digest: Digest): Promise<BlobInfo | undefined>
  info(digest: Digest): Promise<BlobInfo>
  /** The whole blob; `invalidArgument` when it is larger than `maxBytes` (default 16 MiB). */
  read(digest: Digest, maxBytes?: number): Promise<Buffer>
  /** The blob as a stream, from `start` on. */
  open(digest: Digest, options?: { readonly start?: number }): Readable
}

/** Writes blobs. */
export interface ContentWriter {
  /** Stores bytes in memory as a blob, named by sha256 unless said otherwise. */
  put(bytes: Uint8Array, algorithm?: DigestAlgorithm): Promise<Digest>
  /** Begins or resumes the ingest of that key. Throws `conflict` while it is open already. */
  ingest(key: string, options?: IngestOptions): Promise<Ingest>
  /** Drops a closed ingest; no error when there is none. */
  abort(key: string): Promise<void>
}

/** Blobs and unfinished writes. */
export interface ContentStore extends ContentReader, ContentWriter {
  /** Removes a blob; no error when it isn't there. */
  delete(digest: Digest): Promise<void>
  /** Every blob, in no order. */
  walk(): AsyncIterable<BlobInfo>
  /** Unfinished ingests: their keys, sizes and last changes. */
  ingests(): AsyncIterable<IngestInfo>
}

export interface IngestInfo {
  readonly key: string
  readonly sizeBytes: number
  readonly updated: Date
}

/** Manifests and configs are read whole; a registry may not make us hold any size. */
export const defaultReadLimitBytes = 16 * 1024 * 1024
