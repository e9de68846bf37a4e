/** What the content store keeps: blobs, which are immutable bytes addressed by their digest, and ingests, which are
 *  unfinished writes that become blobs.
 *
 *  After a restart of the daemon, opening an ingest by its key resumes it at its `offset`. `commit` makes it a blob if
 *  digest and size are the expected ones; committing a blob that exists already is no error. */
import type { Digest } from '../oci/index.ts'

/** A stored blob. */
export interface BlobInfo {
  readonly digest: Digest
  readonly sizeBytes: number
}

/** What the bytes of an ingest must be. A field that is absent is not checked. */
export interface ExpectedBlob {
  readonly digest?: Digest | undefined
  readonly sizeBytes?: number | undefined
}

/** How to open an ingest. */
export interface IngestOptions {
  /** False when the writer computes the digest itself and gives it to `commit`. Default true. */
  readonly hashing?: boolean
}

/** An unfinished write. At most one per key is open at a time. */
export interface Ingest {
  readonly key: string
  /** Number of bytes written so far; a resumed write continues here. */
  readonly offset: number
  /** The file that holds the bytes. Other threads and programs may read it while it grows, or write it when the ingest
   *  does not hash. */
  readonly path: string
  /** Appends bytes. Synchronous, because it only copies into the page cache. Throws `conflict` after the ingest ended. */
  write(chunk: Uint8Array): void
  /** Drops all bytes, for a source that can't resume. */
  restart(): void
  /** Makes the bytes a blob and ends the ingest. If size or digest are not the expected ones, it drops the ingest and
   *  throws `dataLoss`. `computed` is the digest of all bytes; an ingest that does not hash needs it. */
  commit(expected?: ExpectedBlob, computed?: Digest): Promise<BlobInfo>
  /** Ends the ingest and keeps its bytes, so that the key can be opened again. */
  close(): void
  /** Ends the ingest and deletes its bytes. */
  abort(): Promise<void>
}

/** Facts of an unfinished ingest. */
export interface IngestInfo {
  readonly key: string
  readonly sizeBytes: number
  /** When bytes were last written. */
  readonly updated: Date
}
