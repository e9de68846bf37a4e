/** The registry's objects as objects of a bucket, below `objects/`. */
import { Readable } from 'node:stream'
import { type AbortOptions, BerthError, isBerthError, isKind, messageOf } from '../../../../base/index.ts'
import type { ByteRange, ListOptions, ListPage, ObjectInfo, ObjectStorage, WriteOptions } from '../registry-storage.ts'
import { type OpenObject, readAll, type S3Bucket } from './s3-bucket.ts'
import { objectKey, objectsPrefix } from './s3-keys.ts'

const maxFailuresInARow = 5
const readBufferBytes = 512 * 1024

export class S3Objects implements ObjectStorage {
  readonly #bucket: S3Bucket

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket
  }

  async stat(key: string): Promise<ObjectInfo | undefined> {
    const found = await this.#bucket.head(objectKey(key))
    return found === undefined ? undefined : { key, sizeBytes: found.sizeBytes, modifiedAt: found.modifiedAt }
  }

  async read(key: string): Promise<Buffer | undefined> {
    try {
      return await readAll(await openObject(this.#bucket, objectKey(key)))
    } catch (error) {
      if (isKind(error, 'notFound')) return undefined
      throw error
    }
  }

  open(key: string, range: ByteRange & AbortOptions = {}): Promise<Readable> {
    return openObject(this.#bucket, objectKey(key), range)
  }

  async write(key: string, bytes: Uint8Array, { ifAbsent = false }: WriteOptions = {}): Promise<boolean> {
    try {
      await this.#bucket.put(objectKey(key), bytes, { ifAbsent })
      return true
    } catch (error) {
      if (ifAbsent && isKind(error, 'conflict')) return false
      throw error
    }
  }

  async list(prefix: string, { after = '', limit }: ListOptions = {}): Promise<ListPage> {
    const from = after === '' ? undefined : objectKey(after)
    const page = await this.#bucket.list(objectKey(prefix), { after: from, limit })
    const withoutPrefix = (key: string) => key.slice(objectsPrefix.length)
    return {
      objects: page.objects.map((object) => ({ ...object, key: withoutPrefix(object.key) })),
      next: page.next === undefined ? undefined : withoutPrefix(page.next),
    }
  }

  delete(key: string, options?: AbortOptions): Promise<void> {
    return this.#bucket.delete(objectKey(key), options)
  }
}

/** An object's bytes as one stream. After a broken connection it resumes at the byte where it stopped, if the object
 *  has not changed. Rejects with `notFound` before it gives a stream. */
export async function openObject(
  bucket: S3Bucket,
  key: string,
  { start = 0, end, signal }: ByteRange & AbortOptions = {},
): Promise<Readable> {
  const abort = new AbortController()
  const either = signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal])
  const first = await bucket.get(key, { start, end, signal: either })
  const length = first.sizeBytes
  const chunks = readOn(first, length, (done) =>
    bucket.get(key, { start: start + done, end: start + length - 1, ifMatch: first.etag, signal: either }),
  )
  const stream = Readable.from(chunks, { objectMode: false, highWaterMark: readBufferBytes })
  // A generator that waits for bytes can't be ended, so its connection is aborted.
  stream.once('close', () => abort.abort())
  return stream
}

/** Yields `length` bytes: from `first`, and after a broken connection from the object that `reopen` gives. */
async function* readOn(
  first: OpenObject,
  length: number,
  reopen: (done: number) => Promise<OpenObject>,
): AsyncGenerator<Buffer, void, undefined> {
  let { body } = first
  let done = 0
  let failures = 0
  for (;;) {
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        done += chunk.length
        failures = 0
        yield chunk
      }
      if (done >= length) return
      throw new BerthError('unavailable', 'bucket: the connection ended before the object did')
    } catch (error) {
      failures += 1
      // An error of the client itself is final: the client has already retried.
      const isFinal = isBerthError(error) && error.kind !== 'unavailable'
      if (isFinal || isAborted(error) || failures >= maxFailuresInARow) throw readError(error)
      body = (await reopen(done)).body
    }
  }
}

function isAborted(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

function readError(error: unknown): unknown {
  if (isBerthError(error)) return error
  return new BerthError('unavailable', `bucket: ${messageOf(error)}`, { cause: error })
}
