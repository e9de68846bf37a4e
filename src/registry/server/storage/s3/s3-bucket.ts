/** Whole objects of a bucket, by keys without the bucket's prefix. Errors are those of `S3Connection`. */
import type { Readable } from 'node:stream'
import { type AbortOptions, conflict, isKind } from '../../../../base/index.ts'
import type { ByteRange, ListOptions, ListPage } from '../registry-storage.ts'
import { S3Connection, type S3Options } from './s3-connection.ts'

/** What is known of an object of the bucket. */
export interface BucketObject {
  readonly sizeBytes: number
  readonly modifiedAt: Date
  readonly etag: string
}

/** An object's bytes on their way. */
export interface OpenObject extends BucketObject {
  readonly body: Readable
}

/** A condition of a write. `ifMatch`: the object has this ETag; `ifAbsent`: there is none. */
export interface WriteCondition {
  readonly ifMatch?: string | undefined
  readonly ifAbsent?: boolean | undefined
}

/** The service lists at most this many keys at once. */
const maxPage = 1000

export class S3Bucket {
  /** For commands that are not about a whole object. */
  readonly connection: S3Connection
  #knowsConditions = true

  constructor(connection: S3Connection) {
    this.connection = connection
  }

  /** Opens a connection of its own. Sends nothing yet. */
  static async open(options: S3Options): Promise<S3Bucket> {
    return new S3Bucket(await S3Connection.open(options))
  }

  /** Writes to `key`, and tells whether the service honors conditional writes: some services reject them, some ignore
   *  them. Rejects if the bucket can't be written. */
  async probeConditions(key: string): Promise<boolean> {
    await this.put(key, Buffer.alloc(0))
    try {
      if (this.#knowsConditions) await this.#put(key, Buffer.alloc(0), { ifAbsent: true })
      this.#knowsConditions = false
    } catch (error) {
      if (isKind(error, 'notImplemented')) this.#knowsConditions = false
      else if (!isKind(error, 'conflict')) throw error
    }
    return this.#knowsConditions
  }

  /** Facts of an object; undefined if there is none. */
  async head(key: string): Promise<BucketObject | undefined> {
    try {
      return infoOf(
        await this.connection.call((client, sdk) => client.send(new sdk.HeadObjectCommand(this.connection.at(key)))),
      )
    } catch (error) {
      if (isKind(error, 'notFound')) return undefined
      throw error
    }
  }

  /** Opens an object or a range of it. Rejects with `notFound`, and with `conflict` if its ETag differs from
   *  `ifMatch`. */
  async get(
    key: string,
    { start = 0, end, ifMatch, signal }: ByteRange & AbortOptions & { readonly ifMatch?: string } = {},
  ): Promise<OpenObject> {
    const isRange = start > 0 || end !== undefined
    const input = {
      ...this.connection.at(key),
      ...(isRange ? { Range: `bytes=${start}-${end ?? ''}` } : {}),
      ...(ifMatch === undefined ? {} : { IfMatch: ifMatch }),
    }
    const options = signal === undefined ? {} : { abortSignal: signal }
    const answer = await this.connection.call((client, sdk) => client.send(new sdk.GetObjectCommand(input), options), {
      signal,
    })
    return { ...infoOf(answer), body: answer.Body as Readable }
  }

  /** Writes a whole object and gives its ETag. Rejects with `conflict` when the condition is not met. */
  async put(key: string, bytes: Uint8Array, condition: WriteCondition = {}): Promise<string> {
    const isConditional = condition.ifMatch !== undefined || condition.ifAbsent === true
    if (!isConditional) return this.#put(key, bytes, {})
    try {
      if (this.#knowsConditions) return await this.#put(key, bytes, condition)
    } catch (error) {
      if (isKind(error, 'notFound') && condition.ifMatch !== undefined) throw conflict(`${key} is gone`)
      if (isKind(error, 'conflict') && Number(error.details.attempts) > 1) {
        // The first try may have succeeded although its answer never came.
        const found = await this.get(key)
        if ((await readAll(found.body)).equals(bytes)) return found.etag
      }
      if (!isKind(error, 'notImplemented')) throw error
      this.#knowsConditions = false
    }
    await this.#checkCondition(key, condition)
    return this.#put(key, bytes, {})
  }

  /** Deletes an object; does nothing if there is none. */
  async delete(key: string, { signal }: AbortOptions = {}): Promise<void> {
    const options = signal === undefined ? {} : { abortSignal: signal }
    try {
      await this.connection.call(
        (client, sdk) => client.send(new sdk.DeleteObjectCommand(this.connection.at(key)), options),
        { signal },
      )
    } catch (error) {
      if (!isKind(error, 'notFound')) throw error
    }
  }

  /** One page of the objects whose keys begin with `prefix`, in order. */
  async list(prefix: string, { after, limit }: ListOptions = {}): Promise<ListPage> {
    const { Bucket, Key: root } = this.connection.at('')
    const input = {
      Bucket,
      Prefix: root + prefix,
      ...(after === undefined || after === '' ? {} : { StartAfter: root + after }),
      ...(limit === undefined ? {} : { MaxKeys: Math.min(limit, maxPage) }),
    }
    const answer = await this.connection.call((client, sdk) => client.send(new sdk.ListObjectsV2Command(input)))
    const objects = (answer.Contents ?? []).map(({ Key = '', Size = 0, LastModified }) => ({
      key: Key.slice(root.length),
      sizeBytes: Size,
      modifiedAt: LastModified ?? new Date(0),
    }))
    return { objects, next: answer.IsTruncated === true ? objects.at(-1)?.key : undefined }
  }

  close(): void {
    this.connection.close()
  }

  /** For services without conditional writes. Two processes that write within milliseconds may both succeed. */
  async #checkCondition(key: string, { ifMatch, ifAbsent }: WriteCondition): Promise<void> {
    const found = await this.head(key)
    const isMet = ifAbsent === true ? found === undefined : found?.etag === ifMatch
    if (!isMet) throw conflict(`${key} was changed by another process`)
  }

  async #put(key: string, bytes: Uint8Array, { ifMatch, ifAbsent }: WriteCondition): Promise<string> {
    const answer = await this.connection.call((client, { PutObjectCommand }) =>
      client.send(
        new PutObjectCommand({
          ...this.connection.at(key),
          Body: bytes,
          ...(ifMatch === undefined ? {} : { IfMatch: ifMatch }),
          ...(ifAbsent === true ? { IfNoneMatch: '*' } : {}),
        }),
      ),
    )
    return answer.ETag ?? ''
  }
}

/** All bytes of an object's body. */
export async function readAll(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

interface Answer {
  readonly ContentLength?: number | undefined
  readonly LastModified?: Date | undefined
  readonly ETag?: string | undefined
}

function infoOf({ ContentLength = 0, LastModified = new Date(0), ETag = '' }: Answer): BucketObject {
  return { sizeBytes: ContentLength, modifiedAt: LastModified, etag: ETag }
}
