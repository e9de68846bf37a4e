/** What the registry needs of a place that keeps its bytes: a folder or a bucket. Everything a registry knows
 *  (blobs, links, manifests, tags, referrers) is an object with a key; that logic exists once, above this.
 *
 *  Rules that every implementation keeps, and test/suites/registry-storage.ts checks:
 *  - An object is there completely or not at all, whatever dies at whatever time, and once a promise of `write`,
 *    `delete` or `commit` has resolved, power loss does not take that back.
 *  - What one process has written, deleted or committed, every process on the same storage sees at once.
 *  - Nothing is kept in memory only: each call may come from another process than the one before. (An
 *    implementation may remember a running hash, and must do without it when it isn't there.)
 *
 *  Keys are made by the registry alone: parts of `[A-Za-z0-9._+-]`, at most 255 bytes each, never `.` or `..`,
 *  joined by `/`. No key is the folder of another one. `uploads` have a name space of their own. */
import type { Readable } from 'node:stream'
import type { AbortOptions } from '../../../base/index.ts'
import type { BlobDigest } from '../model/blob-digest.ts'

/** What is known of an object without reading it. */
export interface ObjectInfo {
  readonly key: string
  readonly sizeBytes: number
  /** When it was written last, by the storage's clock. */
  readonly modifiedAt: Date
}

/** Bytes `start` to `end`, both included, as in HTTP. Absent: from the beginning, to the end. */
export interface ByteRange {
  readonly start?: number | undefined
  readonly end?: number | undefined
}

export interface WriteOptions {
  /** Only when there is no such object: of any number of processes that try at once exactly one succeeds. */
  readonly ifAbsent?: boolean
}

export interface ListOptions {
  /** Only keys that sort after this one (by bytes). It need not exist. */
  readonly after?: string | undefined
  /** At most so many, at least one. A page may be shorter although more follow. */
  readonly limit?: number | undefined
}

export interface ListPage {
  /** Sorted by the bytes of their keys. */
  readonly objects: readonly ObjectInfo[]
  /** What to give as `after` for the next page; undefined after the last one. */
  readonly next: string | undefined
}

/** Reads an object into memory that the caller owns and uses again. */
export interface ObjectReader {
  /** The descriptor of the file that holds exactly the object's bytes, where there is one; good until `close`. */
  readonly fd?: number
  /** Fills `into` with bytes from `position` on; gives how many, 0 only at the end. */
  read(into: Buffer, position: number): Promise<number>
  /** Idempotent. */
  close(): Promise<void>
}

/** Objects by key. */
export interface ObjectStorage {
  /** What is known of an object; undefined when there is none. */
  stat(key: string): Promise<ObjectInfo | undefined>
  /** A whole small object (manifests at the most); undefined when there is none. */
  read(key: string): Promise<Buffer | undefined>
  /** The bytes of an object of any size as they are wanted; rejects with `notFound` when there is none.
   *  Destroying the stream ends all it holds. The range lies within the object. */
  open(key: string, range?: ByteRange & AbortOptions): Promise<Readable>
  /** The same for storages that can read into given memory, which is faster; rejects with `notFound`. */
  openReader?(key: string): Promise<ObjectReader>
  /** Writes a small object; replaces an older one and renews its `modifiedAt`, even if the bytes are equal.
   *  False (and nothing written) when `ifAbsent` was asked for and there is one. */
  write(key: string, bytes: Uint8Array, options?: WriteOptions): Promise<boolean>
  /** All objects whose key begins with `prefix` (which ends with `/`), whatever their depth, page by page. */
  list(prefix: string, options?: ListOptions): Promise<ListPage>
  /** Deletes an object; nothing happens when there is none. When the signal fires, nothing more is tried. */
  delete(key: string, options?: AbortOptions): Promise<void>
}

/** What is known of an upload. */
export interface UploadInfo {
  readonly id: string
  /** Bytes that arrived and stay: where the next `append` goes on. */
  readonly sizeBytes: number
  /** When bytes arrived last, or the time of `create`. */
  readonly modifiedAt: Date
}

/** What arrives of a blob, in one or many pieces, before it is one. Ids are made by the registry (`[a-z0-9.-]`).
 *
 *  One call works on an upload at a time. A second `append` or `commit` meanwhile, from whatever process, waits
 *  for a moment at the most and is then refused with `conflict`; it never mixes bytes. */
export interface UploadStorage {
  /** Begins an upload without bytes. */
  create(id: string): Promise<void>
  /** What is known of it; undefined when it was never created, is committed or was aborted. */
  find(id: string): Promise<UploadInfo | undefined>
  /** Adds the bytes of `source` behind the first `offset` ones and gives the new size; reads `source` no faster than
   *  it writes. `source` holds the raw bytes in buffers of any size.
   *  - An unknown upload: `notFound`. `offset` is not its size: `conflict`, with `details.sizeBytes`, nothing changed.
   *  - When `source` fails, what came before is kept as far as possible (`find` tells how far) and the error passed on.
   *  - `algorithm` is what the digest of `commit` will probably be made with; default sha256. */
  append(id: string, offset: number, source: AsyncIterable<Buffer>, options?: AppendOptions): Promise<number>
  /** The same as `append` for storages that read a connection better than Node does: adds the body that is still in it.
   *  - When the body does not come completely: a BodyFault, and what came before is kept as far as possible. */
  receive?(id: string, offset: number, body: ConnectionBody, options?: AppendOptions): Promise<Received>
  /** Makes the upload's bytes the object `key`, and the upload vanish. When the bytes don't hash to `digest`:
   *  `invalidArgument`, no object, and the upload as it was. An unknown upload: `notFound`. An object that
   *  is there already is replaced or kept (they are equal); its `modifiedAt` is new. Gives the size. */
  commit(id: string, key: string, digest: BlobDigest): Promise<number>
  /** Drops the upload and its bytes; nothing happens when there is none. */
  abort(id: string): Promise<void>
  /** Every upload, page by page, sorted by id. */
  list(options?: ListOptions): Promise<UploadPage>
}

/** A request's body that nobody has read yet. */
export interface ConnectionBody {
  /** Descriptor of the connection, which stays open for the answer; nobody else reads from it meanwhile. Undefined when
   *  it was closed already. */
  readonly fd: number | undefined
  /** What was read from it before: a beginning of the body, or all of it and more. */
  readonly head: Buffer
  /** Undefined: it comes in chunks, as HTTP has it. */
  readonly sizeBytes: number | undefined
  /** A longer body is refused (`tooLong`). */
  readonly maxBytes: number | undefined
  /** So long may the client send nothing while something is awaited (`silent`). */
  readonly idleMs: number
  /** The connection is being closed: reading ends (`gone`). */
  readonly signal: AbortSignal
  /** Hears now and then, and at the end, how many bytes of the body arrived. */
  onReceived(sizeBytes: number): void
}

/** A body that came completely. */
export interface Received {
  /** The upload's new size. */
  readonly sizeBytes: number
  /** What was read from the connection behind the body. */
  readonly rest: Buffer
}

export interface AppendOptions {
  readonly algorithm?: 'sha256' | 'sha512' | undefined
}

export interface UploadPage {
  readonly uploads: readonly UploadInfo[]
  readonly next: string | undefined
}

/** All that a registry keeps. */
export interface RegistryStorage {
  readonly objects: ObjectStorage
  readonly uploads: UploadStorage
  /** True when it can be read and written now (for health checks); says why not by rejecting. */
  check(): Promise<void>
  /** Frees connections and threads. Idempotent. */
  close(): Promise<void>
}
