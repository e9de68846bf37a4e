/** The interface of a registry's storage, which is a folder or a bucket. Blobs, links, manifests, tags and referrers
 *  are all objects with keys; the logic above this interface is the same for every storage.
 *
 *  Every implementation keeps these rules, which test/suites/registry-storage.ts checks:
 *  - An object exists completely or not at all, even if the process dies. After a promise of `write`, `delete` or
 *    `commit` has resolved, power loss doesn't undo the change.
 *  - Every process on the same storage sees the changes of every other process at once.
 *  - Nothing is kept only in memory, since each call may come from another process. (An implementation may remember a
 *    running hash, but must work without it.)
 *
 *  Only the registry makes keys: parts of `[A-Za-z0-9._+-]`, at most 255 bytes each, never `.` or `..`, joined by `/`.
 *  No key is the folder of another one. Uploads have ids in a separate namespace. */
import type { Readable } from 'node:stream'
import type { AbortOptions } from '../../../base/index.ts'
import type { BlobDigest } from '../model/blob-digest.ts'

/** Facts of an object. */
export interface ObjectInfo {
  readonly key: string
  readonly sizeBytes: number
  /** The time of the last write, by the storage's clock. */
  readonly modifiedAt: Date
}

/** Bytes `start` to `end`, both included, as in HTTP. Default: from the first byte, to the last. */
export interface ByteRange {
  readonly start?: number | undefined
  readonly end?: number | undefined
}

/** Options of `ObjectStorage.write`. */
export interface WriteOptions {
  /** Write only if there is no such object. If several processes try at the same time, exactly one succeeds. */
  readonly ifAbsent?: boolean
}

/** Options of lists in pages. */
export interface ListOptions {
  /** List only keys that sort after this one, by bytes. It need not exist. */
  readonly after?: string | undefined
  /** At most this many entries, at least one. A page may be shorter even if more entries follow. */
  readonly limit?: number | undefined
}

/** One page of a list of objects. */
export interface ListPage {
  /** Sorted by the bytes of their keys. */
  readonly objects: readonly ObjectInfo[]
  /** The `after` of the next page; undefined on the last page. */
  readonly next: string | undefined
}

/** Reads an object into the caller's memory. */
export interface ObjectReader {
  /** Descriptor of a file with exactly the object's bytes, if there is one. Valid until `close`. */
  readonly fd?: number
  /** Reads bytes from `position` on into `into`. Gives their number, 0 only at the end. */
  read(into: Buffer, position: number): Promise<number>
  /** Idempotent. */
  close(): Promise<void>
}

/** Objects by key. */
export interface ObjectStorage {
  /** Facts of an object; undefined if there is none. */
  stat(key: string): Promise<ObjectInfo | undefined>
  /** Reads a whole small object, at most a manifest; undefined if there is none. */
  read(key: string): Promise<Buffer | undefined>
  /** Opens an object of any size as a stream. The range must be within the object. Destroying the stream frees
   *  everything. Rejects with `notFound`. */
  open(key: string, range?: ByteRange & AbortOptions): Promise<Readable>
  /** Opens an object for reading into given memory, which is faster. Absent if the storage can't do that. Rejects with
   *  `notFound`. */
  openReader?(key: string): Promise<ObjectReader>
  /** Writes a small object. Replaces an existing one and renews its `modifiedAt`, even if the bytes are equal. False,
   *  with nothing written, if `ifAbsent` is set and the object exists. */
  write(key: string, bytes: Uint8Array, options?: WriteOptions): Promise<boolean>
  /** A page of all objects, at any depth, whose keys begin with `prefix`, which ends with `/`. */
  list(prefix: string, options?: ListOptions): Promise<ListPage>
  /** Deletes an object. Does nothing if there is none. After the signal fires, no further attempt is made. */
  delete(key: string, options?: AbortOptions): Promise<void>
}

/** Facts of an upload. */
export interface UploadInfo {
  readonly id: string
  /** Number of stored bytes: the offset of the next `append`. */
  readonly sizeBytes: number
  /** When the last bytes arrived, or the time of `create`. */
  readonly modifiedAt: Date
}

/** Uploads: bytes that arrive in one or more pieces and become a blob at the end. The registry makes the ids
 *  (`[a-z0-9.-]`).
 *
 *  Only one call at a time works on an upload. A concurrent `append` or `commit`, from any process, waits a moment and
 *  then rejects with `conflict`. Bytes of two calls are never mixed. */
export interface UploadStorage {
  /** Begins an upload without bytes. */
  create(id: string): Promise<void>
  /** Facts of an upload; undefined if it was never created, was committed or was aborted. */
  find(id: string): Promise<UploadInfo | undefined>
  /** Appends the bytes of `source` after the first `offset` bytes and gives the new size. Reads `source` no faster
   *  than it writes.
   *  - Rejects with `notFound` for an unknown upload.
   *  - Rejects with `conflict` and `details.sizeBytes`, with nothing changed, if `offset` is not the upload's size.
   *  - If `source` fails, keeps the earlier bytes as far as possible (`find` tells how many) and rejects with its
   *    error. */
  append(id: string, offset: number, source: AsyncIterable<Buffer>, options?: AppendOptions): Promise<number>
  /** Like `append`, for a body that is still in its connection. Absent if the storage has no faster way than Node's.
   *  - If the body doesn't arrive completely, rejects with a BodyFault and keeps the earlier bytes as far as
   *  possible. */
  receive?(id: string, offset: number, body: ConnectionBody, options?: AppendOptions): Promise<Received>
  /** Turns the upload into the object `key` and gives its size. An existing object with the same bytes is replaced or
   *  kept, with a new `modifiedAt`. Rejects with `notFound` for an unknown upload. Rejects with `invalidArgument`,
   *  with nothing changed, if the bytes don't have this digest. */
  commit(id: string, key: string, digest: BlobDigest): Promise<number>
  /** Drops the upload and its bytes. Does nothing if there is none. */
  abort(id: string): Promise<void>
  /** A page of all uploads, sorted by id. */
  list(options?: ListOptions): Promise<UploadPage>
}

/** A request's body that is still in its connection. */
export interface ConnectionBody {
  /** Descriptor of the connection, which stays open for the answer. Nothing else reads from it meanwhile. Undefined if
   *  it is closed. */
  readonly fd: number | undefined
  /** Bytes that were already read: the beginning of the body, or all of it and more. */
  readonly head: Buffer
  /** Undefined if the body has chunked transfer encoding. */
  readonly sizeBytes: number | undefined
  /** A longer body fails with `tooLong`. */
  readonly maxBytes: number | undefined
  /** If the client sends nothing for this time, the body fails with `silent`. */
  readonly idleMs: number
  /** Fires when the server closes the connection. The body then fails with `gone`. */
  readonly signal: AbortSignal
  /** Called now and then, and at the end, with the number of bytes of the body that have arrived. */
  onReceived(sizeBytes: number): void
}

/** A body that arrived completely. */
export interface Received {
  /** The upload's new size. */
  readonly sizeBytes: number
  /** Bytes after the body that were read from the connection. */
  readonly rest: Buffer
}

/** Options of `append` and `receive`. */
export interface AppendOptions {
  /** The algorithm that the digest of `commit` will probably have, to begin hashing. Default: sha256. */
  readonly algorithm?: 'sha256' | 'sha512' | undefined
}

/** One page of a list of uploads. */
export interface UploadPage {
  readonly uploads: readonly UploadInfo[]
  /** The `after` of the next page; undefined on the last page. */
  readonly next: string | undefined
}

/** The storage of a registry. */
export interface RegistryStorage {
  readonly objects: ObjectStorage
  readonly uploads: UploadStorage
  /** Resolves if the storage can be read and written now, for health checks. Rejects with the reason otherwise. */
  check(): Promise<void>
  /** Frees connections and threads. Idempotent. */
  close(): Promise<void>
}
