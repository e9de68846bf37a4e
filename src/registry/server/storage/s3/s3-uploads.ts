/** Uploads in a bucket. Each is an S3 multipart upload with a state, from which any process can continue. */
import { createHash } from 'node:crypto'
import { isKind } from '../../../../base/index.ts'
import { algorithmOf, type BlobDigest, hexOfBlob } from '../../model/blob-digest.ts'
import type { AppendOptions, ListOptions, UploadInfo, UploadPage, UploadStorage } from '../registry-storage.ts'
import { digestMismatch, offsetMismatch } from '../storage-errors.ts'
import type { S3Bucket } from './s3-bucket.ts'
import { objectKey, uploadKey, uploadsPrefix, wholeKey } from './s3-keys.ts'
import {
  abortMultipart,
  completeMultipart,
  copyObject,
  copyParts,
  createMultipart,
  uploadPart,
} from './s3-multipart.ts'
import { openObject } from './s3-objects.ts'
import { PartSlots } from './s3-part-slots.ts'
import { PartWriter, readTail, resumed } from './s3-part-writer.ts'
import { emptyState, readUploadState, UploadLease, type UploadState } from './s3-upload-state.ts'

/** How many parts are sent at the same time, for all uploads together. */
const parallelParts = 4
const parallelReads = 16

export class S3Uploads implements UploadStorage {
  readonly #bucket: S3Bucket
  readonly #slots = new PartSlots(parallelParts)

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket
  }

  async create(id: string): Promise<void> {
    await this.#bucket.put(uploadKey(id), Buffer.from(JSON.stringify(emptyState)))
  }

  async find(id: string): Promise<UploadInfo | undefined> {
    const found = await readUploadState(this.#bucket, id)
    if (found === undefined) return undefined
    return { id, sizeBytes: found.state.sizeBytes, modifiedAt: found.modifiedAt }
  }

  async append(
    id: string,
    offset: number,
    source: AsyncIterable<Buffer>,
    { algorithm = 'sha256' }: AppendOptions = {},
  ): Promise<number> {
    const lease = await UploadLease.take(this.#bucket, id, ({ sizeBytes }) => {
      if (sizeBytes !== offset) throw offsetMismatch(offset, sizeBytes)
    })
    const writer = new PartWriter(this.#bucket, lease, this.#slots)
    const leaveSlots = this.#slots.join()
    let failure: { readonly error: unknown } | undefined
    let sizeAfter: number
    try {
      await writer.begin(algorithm)
      failure = await pump(source, writer)
      sizeAfter = await writer.finish()
    } catch (error) {
      await writer.giveUp().catch(() => {}) // the name in the state ends by itself
      throw error
    } finally {
      leaveSlots()
    }
    if (failure !== undefined) throw failure.error
    return sizeAfter
  }

  async commit(id: string, key: string, digest: BlobDigest): Promise<number> {
    const lease = await UploadLease.take(this.#bucket, id)
    const { state } = lease
    try {
      const verdict = runningVerdict(state, digest)
      if (verdict === 'wrong') throw digestMismatch(digest, 'another one')
      if (state.parts.length === 0 && state.wholeBytes === 0) await this.#commitTail(state, key, digest)
      else await this.#commitParts(lease, key, verdict === 'right' ? undefined : digest)
    } catch (error) {
      await lease.release().catch(() => {}) // the name in the state ends by itself
      throw error
    }
    // From here on the upload is gone. If the process dies now, s3-sweep.ts deletes its data.
    await lease.remove()
    await this.#removeData(id, lease.state).catch(() => {})
    return state.sizeBytes
  }

  async abort(id: string): Promise<void> {
    const found = await readUploadState(this.#bucket, id)
    if (found === undefined) return
    // The state is deleted last: as long as it exists, the abort can be repeated.
    await this.#removeData(id, found.state)
    await this.#bucket.delete(uploadKey(id))
  }

  async list({ after, limit }: ListOptions = {}): Promise<UploadPage> {
    const from = after === undefined ? undefined : uploadKey(after)
    const page = await this.#bucket.list(uploadsPrefix, { after: from, limit })
    const ids = page.objects.map(({ key }) => key.slice(uploadsPrefix.length))
    const uploads: UploadInfo[] = []
    for (let start = 0; start < ids.length; start += parallelReads) {
      const found = await Promise.all(ids.slice(start, start + parallelReads).map((id) => this.find(id)))
      uploads.push(...found.filter((upload) => upload !== undefined))
    }
    return { uploads, next: page.next?.slice(uploadsPrefix.length) }
  }

  /** Commits a small upload, whose bytes are all in the tail: writes them as the object. */
  async #commitTail({ tail }: UploadState, key: string, digest: BlobDigest): Promise<void> {
    const bytes = tail === undefined ? Buffer.alloc(0) : await readTail(this.#bucket, tail)
    // Hashed again, although the running hash exists: these are the bytes that are written.
    if (createHash(algorithmOf(digest)).update(bytes).digest('hex') !== hexOfBlob(digest))
      throw digestMismatch(digest, 'another one')
    await this.#bucket.put(objectKey(key), bytes)
  }

  /** Joins the parts, then lets the bucket copy them to the object. With `digest` the joined parts are read and
   *  verified first, because there was no running hash with its algorithm. */
  async #commitParts(lease: UploadLease, key: string, digest: BlobDigest | undefined): Promise<void> {
    const { id } = lease
    if (lease.state.parts.length > 0 || lease.state.tail !== undefined) await this.#join(lease)
    lease.assertHeld()
    if (digest !== undefined && !(await this.#hashesTo(wholeKey(id), digest)))
      throw digestMismatch(digest, 'another one')
    await copyObject(this.#bucket, wholeKey(id), objectKey(key), lease.state.sizeBytes)
  }

  async #join(lease: UploadLease): Promise<void> {
    const { state } = lease
    const key = wholeKey(lease.id)
    try {
      await this.#joinParts(key, state)
    } catch (error) {
      // A process that died had already joined them.
      const found = isKind(error, 'notFound') ? await this.#bucket.head(key) : undefined
      if (found?.sizeBytes !== state.sizeBytes) throw error
    }
    await lease.save({ ...state, wholeBytes: state.sizeBytes, parts: [], multipartId: undefined, tail: undefined })
    if (state.tail?.kind === 'object') await this.#bucket.delete(state.tail.key)
  }

  async #joinParts(key: string, { multipartId, wholeBytes, parts, tail }: UploadState): Promise<void> {
    const bucket = this.#bucket
    const id = multipartId ?? (await createMultipart(bucket, key))
    const copies = { source: key, target: key, multipartId: id, sizeBytes: wholeBytes }
    const all = wholeBytes > 0 ? await copyParts(bucket, copies) : [...parts]
    if (tail !== undefined) {
      const number = (all.at(-1)?.number ?? 0) + 1
      all.push(await uploadPart(bucket, key, id, number, await readTail(bucket, tail)))
    }
    await completeMultipart(bucket, key, id, all)
  }

  async #hashesTo(key: string, digest: BlobDigest): Promise<boolean> {
    const hash = createHash(algorithmOf(digest))
    for await (const chunk of (await openObject(this.#bucket, key)) as AsyncIterable<Buffer>) hash.update(chunk)
    return hash.digest('hex') === hexOfBlob(digest)
  }

  /** Deletes the data that a state refers to. (s3-sweep.ts deletes the rest.) */
  async #removeData(id: string, { parts, wholeBytes, multipartId, tail }: UploadState): Promise<void> {
    if (multipartId !== undefined) await abortMultipart(this.#bucket, wholeKey(id), multipartId)
    if (tail?.kind === 'object') await this.#bucket.delete(tail.key)
    if (parts.length > 0 || wholeBytes > 0) await this.#bucket.delete(wholeKey(id))
  }
}

/** Reads `source` to the writer. Gives the error that ended `source` early, if any. */
async function pump(
  source: AsyncIterable<Buffer>,
  writer: PartWriter,
): Promise<{ readonly error: unknown } | undefined> {
  const iterator = source[Symbol.asyncIterator]()
  for (;;) {
    let next: IteratorResult<Buffer, unknown>
    try {
      next = await iterator.next()
    } catch (error) {
      return { error }
    }
    if (next.done === true) return undefined
    try {
      await writer.write(next.value)
    } catch (error) {
      await iterator.return?.()
      throw error
    }
  }
}

/** Compares the running hash with the digest; `unknown` if there is no hash with that algorithm. */
function runningVerdict(state: UploadState, digest: BlobDigest): 'right' | 'wrong' | 'unknown' {
  const hash = resumed(state.hash)
  if (hash?.algorithm !== algorithmOf(digest)) return 'unknown'
  return hash.hex() === hexOfBlob(digest) ? 'right' : 'wrong'
}
