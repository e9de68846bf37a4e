/** The connection to one bucket: the official client, with our errors. Failures of the service become BerthErrors
 *  here: `notFound` (no such object or upload), `conflict` (the condition of a write was not met), `notImplemented`
 *  (the service lacks the call), `internal` (no such bucket, or no access to it), `dataLoss` (parts differ from what
 *  was uploaded), `cancelled` (the caller's signal), `unavailable` for everything else. The client itself retries
 *  transient failures.
 *
 *  The client's 20 MB of code are loaded when the first bucket is opened. */
import type * as Sdk from '@aws-sdk/client-s3'
import { type AbortOptions, BerthError, type ErrorKind, isBerthError, messageOf } from '../../../../base/index.ts'

/** Which bucket to use, and how to reach it. */
export interface S3Options {
  readonly bucket: string
  /** Default: us-east-1. */
  readonly region?: string | undefined
  /** Base URL of the service. Default: Amazon's. */
  readonly endpoint?: string | undefined
  /** `ENDPOINT/BUCKET/key` in place of `BUCKET.ENDPOINT/key`. Default: true if an endpoint is given. */
  readonly forcePathStyle?: boolean | undefined
  /** Prepended to every key; '' or ending with `/`. */
  readonly prefix?: string | undefined
  /** Default: the client's own search in the environment, the files below ~/.aws and the machine's role. */
  readonly credentials?:
    | {
        readonly accessKeyId: string
        readonly secretAccessKey: string
        readonly sessionToken?: string | undefined
      }
    | undefined
}

const maxAttempts = 5
const connectTimeoutMs = 5000
/** A connection that carries no byte for this long is considered dead. */
const idleTimeoutMs = 60_000
const maxSockets = 512

export class S3Connection {
  readonly #sdk: typeof Sdk
  readonly #client: Sdk.S3Client
  readonly #name: string
  readonly #prefix: string
  #skewMs = 0

  private constructor(sdk: typeof Sdk, client: Sdk.S3Client, { bucket, prefix = '' }: S3Options) {
    this.#sdk = sdk
    this.#client = client
    this.#name = bucket
    this.#prefix = prefix
  }

  /** Loads and configures the client. Sends nothing yet. */
  static async open(options: S3Options): Promise<S3Connection> {
    const sdk = await import('@aws-sdk/client-s3')
    const { region = 'us-east-1', endpoint, forcePathStyle = endpoint !== undefined, credentials } = options
    const agent = { keepAlive: true, maxSockets }
    const client = new sdk.S3Client({
      region,
      forcePathStyle,
      maxAttempts,
      followRegionRedirects: true,
      // Would cost a connection for each part, and seconds with services that don't know it.
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
    const connection = new S3Connection(sdk, client, options)
    connection.#watchClock()
    if (endpoint === undefined || endpoint.startsWith('https:')) connection.#leavePartsUnsigned()
    return connection
  }

  /** The time by the service's clock in milliseconds, accurate to a second. */
  now(): number {
    return Date.now() + this.#skewMs
  }

  /** The bucket and the whole key, in the form that commands take. `key` has no prefix yet. */
  at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#name, Key: this.#prefix + key }
  }

  /** Runs a command of the client. Rejects as described at the top of this file. */
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

  /** Over TLS, parts are sent without a signed checksum. They are hashed for their blob's digest and carry a CRC-32
   *  already; a third sum would take as long as the first. */
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

  /** Reads the service's time from the `Date` header of its answers. */
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

function keysOf({ accessKeyId, secretAccessKey, sessionToken }: NonNullable<S3Options['credentials']>) {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
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
  // This message reaches the registry's clients. They learn no more than that the bucket doesn't answer.
  const message =
    kind === 'unavailable' ? `the bucket is unavailable (${name})` : `bucket: ${name}: ${messageOf(error)}`
  return new BerthError(kind, message, { cause: error, details })
}

function kindOf(code: string, status: number | undefined): ErrorKind {
  if (code === 'NotImplemented' || status === 501) return 'notImplemented'
  if (['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall'].includes(code)) return 'dataLoss'
  // The configuration of the bucket is wrong then, not the request.
  if (status === 403 || code === 'NoSuchBucket') return 'internal'
  if (status === 404) return 'notFound'
  if (status === 409 || status === 412) return 'conflict'
  return 'unavailable'
}
