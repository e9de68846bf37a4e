/** The door to a bucket: the official client's calls with our errors. Foreign failures become BerthErrors here:
 *  `notFound` (no such object or upload), `conflict` (a condition was not met), `internal` (no such bucket, or not
 *  ours), `dataLoss` (parts that are not what was uploaded), `unavailable` for all else. The client itself repeats what may pass.
 *
 *  The client's 20 MB of code are loaded when the first bucket is opened. */
import type { Readable } from 'node:stream'
import type * as Sdk from '@aws-sdk/client-s3'
import {
  type AbortOptions,
  BerthError,
  conflict,
  type ErrorKind,
  isBerthError,
  isKind,
  messageOf,
} from '../../../../base/index.ts'
import type { ByteRange, ListOptions, ListPage } from '../registry-storage.ts'

/** Which bucket, and how it is reached. */
export interface S3Options {
  readonly bucket: string
  /** Default: us-east-1. */
  readonly region?: string | undefined
  /** Base URL of the service; absent: Amazon's. */
  readonly endpoint?: string | undefined
  /** `ENDPOINT/BUCKET/key` in place of `BUCKET.ENDPOINT/key`. Default: where an endpoint is given. */
  readonly forcePathStyle?: boolean | undefined
  /** Put before every key; '' or ending with `/`. */
  readonly prefix?: string | undefined
  /** Absent: what the environment, the files below ~/.aws or the machine's role say. */
  readonly credentials?:
    | {
        readonly accessKeyId: string
        readonly secretAccessKey: string
        readonly sessionToken?: string | undefined
      }
    | undefined
}

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

const maxAttempts = 5
const connectTimeoutMs = 5000
/** No byte for so long means that the connection is dead. */
const idleTimeoutMs = 60_000
const maxSockets = 512
const maxPage = 1000

export class S3Bucket {
  readonly #sdk: typeof Sdk
  readonly #client: Sdk.S3Client
  readonly #name: string
  readonly #prefix: string
  #skewMs = 0
  #knowsConditions = true

  private constructor(sdk: typeof Sdk, client: Sdk.S3Client, { bucket, prefix = '' }: S3Options) {
    this.#sdk = sdk
    this.#client = client
    this.#name = bucket
    this.#prefix = prefix
  }

  static async open(options: S3Options): Promise<S3Bucket> {
    const sdk = await import('@aws-sdk/client-s3')
    const { region = 'us-east-1', endpoint, forcePathStyle = endpoint !== undefined, credentials } = options
    const agent = { keepAlive: true, maxSockets }
    const client = new sdk.S3Client({
      region,
      forcePathStyle,
      maxAttempts,
      followRegionRedirects: true,
      // Costs a connection for each part, and seconds where the service does not know it.
      expectContinueHeader: false,
      responseChecksumValidation: 'WHEN_REQUIRED', // blobs carry their own digest
      requestHandler: {
        connectionTimeout: connectTimeoutMs,
        socketTimeout: idleTimeoutMs,
        httpAgent: agent,
        httpsAgent: agent,
      },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials: keysOf(credentials) }),
    })
    const bucket = new S3Bucket(sdk, client, options)
    bucket.#watchClock()
    if (endpoint === undefined || endpoint.startsWith('https:')) bucket.#leavePartsUnsigned()
    return bucket
  }

  /** Whether the service keeps to conditions of writes; some don't know them, some don't look at them. Rejects when
   *  nothing can be written. */
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

  /** The time by the service's clock, in ms; as exact as a second. */
  now(): number {
    return Date.now() + this.#skewMs
  }

  async head(key: string): Promise<BucketObject | undefined> {
    try {
      return infoOf(await this.call((client, sdk) => client.send(new sdk.HeadObjectCommand(this.at(key)))))
    } catch (error) {
      if (isKind(error, 'notFound')) return undefined
      throw error
    }
  }

  /** Rejects with `notFound`, and with `conflict` when the object's ETag is another than `ifMatch`. */
  async get(
    key: string,
    { start = 0, end, ifMatch, signal }: ByteRange & AbortOptions & { readonly ifMatch?: string } = {},
  ): Promise<OpenObject> {
    const isRange = start > 0 || end !== undefined
    const input = {
      ...this.at(key),
      ...(isRange ? { Range: `bytes=${start}-${end ?? ''}` } : {}),
      ...(ifMatch === undefined ? {} : { IfMatch: ifMatch }),
    }
    const options = signal === undefined ? {} : { abortSignal: signal }
    const answer = await this.call((client, sdk) => client.send(new sdk.GetObjectCommand(input), options), { signal })
    return { ...infoOf(answer), body: answer.Body as Readable }
  }

  /** Writes an object whole; gives its ETag. Rejects with `conflict` when the condition is not met. */
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

  async delete(key: string, { signal }: AbortOptions = {}): Promise<void> {
    const options = signal === undefined ? {} : { abortSignal: signal }
    try {
      await this.call((client, sdk) => client.send(new sdk.DeleteObjectCommand(this.at(key)), options), { signal })
    } catch (error) {
      if (!isKind(error, 'notFound')) throw error
    }
  }

  /** Keys are given without the bucket's prefix. */
  async list(prefix: string, { after, limit }: ListOptions = {}): Promise<ListPage> {
    const input = {
      Bucket: this.#name,
      Prefix: this.#prefix + prefix,
      ...(after === undefined || after === '' ? {} : { StartAfter: this.#prefix + after }),
      ...(limit === undefined ? {} : { MaxKeys: Math.min(limit, maxPage) }),
    }
    const answer = await this.call((client, sdk) => client.send(new sdk.ListObjectsV2Command(input)))
    const objects = (answer.Contents ?? []).map(({ Key = '', Size = 0, LastModified }) => ({
      key: Key.slice(this.#prefix.length),
      sizeBytes: Size,
      modifiedAt: LastModified ?? new Date(0),
    }))
    return { objects, next: answer.IsTruncated === true ? objects.at(-1)?.key : undefined }
  }

  /** The whole key in the bucket, as commands want it. */
  at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#name, Key: this.#prefix + key }
  }

  /** Any other command; rejects as this file's head says. */
  async call<T>(
    work: (client: Sdk.S3Client, sdk: typeof Sdk) => Promise<T>,
    { signal }: AbortOptions = {},
  ): Promise<T> {
    try {
      return await work(this.#client, this.#sdk)
    } catch (error) {
      throw bucketError(error, signal)
    }
  }

  close(): void {
    this.#client.destroy()
  }

  /** For buckets that know no conditional writes: nearly as good, unless two processes meet within milliseconds. */
  async #checkCondition(key: string, { ifMatch, ifAbsent }: WriteCondition): Promise<void> {
    const found = await this.head(key)
    const isMet = ifAbsent === true ? found === undefined : found?.etag === ifMatch
    if (!isMet) throw conflict(`${key} was changed by another process`)
  }

  async #put(key: string, bytes: Uint8Array, { ifMatch, ifAbsent }: WriteCondition): Promise<string> {
    const answer = await this.call((client, { PutObjectCommand }) =>
      client.send(
        new PutObjectCommand({
          ...this.at(key),
          Body: bytes,
          ...(ifMatch === undefined ? {} : { IfMatch: ifMatch }),
          ...(ifAbsent === true ? { IfNoneMatch: '*' } : {}),
        }),
      ),
    )
    return answer.ETag ?? ''
  }

  /** Parts are hashed once here for their blob's digest and carry a CRC-32; where TLS protects them they need no
   *  third sum, which takes as long as the first. */
  #leavePartsUnsigned(): void {
    this.#client.middlewareStack.add(
      (next, { commandName }) =>
        (request) => {
          if (commandName === 'UploadPartCommand') {
            const { headers } = request.request as { readonly headers: Record<string, string> }
            headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
          }
          return next(request)
        },
      { step: 'build', name: 'leavePartsUnsigned' },
    )
  }

  /** Learns the service's time from its answers. */
  #watchClock(): void {
    this.#client.middlewareStack.add(
      (next) => async (request) => {
        const result = await next(request)
        const { headers } = result.response as { readonly headers?: Readonly<Record<string, string>> }
        const time = Date.parse(headers?.date ?? '')
        if (!Number.isNaN(time)) this.#skewMs = time - Date.now()
        return result
      },
      { step: 'deserialize', priority: 'low' },
    )
  }
}

/** All bytes of an object's body. */
export async function readAll(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function keysOf({ accessKeyId, secretAccessKey, sessionToken }: NonNullable<S3Options['credentials']>) {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
}

interface Answer {
  readonly ContentLength?: number | undefined
  readonly LastModified?: Date | undefined
  readonly ETag?: string | undefined
}

function infoOf({ ContentLength = 0, LastModified = new Date(0), ETag = '' }: Answer): BucketObject {
  return { sizeBytes: ContentLength, modifiedAt: LastModified, etag: ETag }
}

/** What the client's errors carry besides their name, which is S3's error code.
 *  https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
interface SdkError {
  readonly name?: string
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number }
}

function bucketError(error: unknown, signal: AbortSignal | undefined): unknown {
  if (isBerthError(error)) return error
  if (signal?.aborted === true) return new BerthError('cancelled', 'context canceled', { cause: error })
  const { name = '', $metadata = {} } = error as SdkError
  const { httpStatusCode: status, attempts } = $metadata
  const details = { s3Code: name, status, attempts }
  const kind = kindOf(name, status)
  // A client of the registry may be told that the bucket doesn't answer, and no more.
  const message =
    kind === 'unavailable' ? `the bucket is unavailable (${name})` : `bucket: ${name}: ${messageOf(error)}`
  return new BerthError(kind, message, { cause: error, details })
}

function kindOf(code: string, status: number | undefined): ErrorKind {
  if (code === 'NotImplemented' || status === 501) return 'notImplemented'
  if (['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall'].includes(code)) return 'dataLoss'
  // Not what was asked for is wrong then, but how the bucket was set up.
  if (status === 403 || code === 'NoSuchBucket') return 'internal'
  if (status === 404) return 'notFound'
  if (status === 409 || status === 412) return 'conflict'
  return 'unavailable'
}
