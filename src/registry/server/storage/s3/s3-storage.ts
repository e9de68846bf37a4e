/** A registry's storage in a bucket of any S3-compatible service. Any number of processes may share one bucket: all
 *  state is in it, and conditional writes decide conflicts between processes.
 *
 *  A blob becomes visible by a copy inside the bucket after its digest was verified. */
import { type Logger, messageOf, nullLogger } from '../../../../base/index.ts'
import type { RegistryStorage } from '../registry-storage.ts'
import { S3Bucket } from './s3-bucket.ts'
import type { S3Options } from './s3-connection.ts'
import { checkKey, objectsPrefix } from './s3-keys.ts'
import { S3Objects } from './s3-objects.ts'
import { sweepBucket } from './s3-sweep.ts'
import { S3Uploads } from './s3-uploads.ts'

/** Leftovers of this age belong to no running request. */
const sweepAgeMs = 24 * 3_600_000
const sweepIntervalMs = 6 * 3_600_000
const firstSweepMs = 60_000
/** Health checks write only at this interval, because they are frequent and each write costs money. */
const writeCheckMs = 5 * 60_000

/** The storage in a bucket. */
export class S3Storage implements RegistryStorage {
  readonly objects: S3Objects
  readonly uploads: S3Uploads
  readonly #bucket: S3Bucket
  readonly #logger: Logger
  readonly #closed = new AbortController()
  readonly #timers: NodeJS.Timeout[]
  #writtenMs = 0

  private constructor(bucket: S3Bucket, logger: Logger) {
    this.#bucket = bucket
    this.#logger = logger
    this.objects = new S3Objects(bucket)
    this.uploads = new S3Uploads(bucket)
    const sweep = () => void this.#sweep()
    this.#timers = [setTimeout(sweep, firstSweepMs), setInterval(sweep, sweepIntervalMs)]
    for (const timer of this.#timers) timer.unref()
  }

  /** Opens the bucket. Rejects as described in s3-connection.ts if it can't be read and written. */
  static async open(
    options: S3Options,
    { logger = nullLogger }: { readonly logger?: Logger } = {},
  ): Promise<S3Storage> {
    const bucket = await S3Bucket.open(options)
    const storage = new S3Storage(bucket, logger)
    try {
      await storage.objects.list('')
      if (!(await bucket.probeConditions(checkKey))) {
        logger.warn('the bucket knows no conditional writes: let only one registry process write to it')
      }
      storage.#writtenMs = performance.now()
    } catch (error) {
      await storage.close()
      throw error
    }
    return storage
  }

  async check(): Promise<void> {
    await this.#bucket.list(objectsPrefix, { limit: 1 })
    if (performance.now() - this.#writtenMs < writeCheckMs) return
    await this.#bucket.put(checkKey, Buffer.alloc(0))
    this.#writtenMs = performance.now()
  }

  async close(): Promise<void> {
    this.#closed.abort()
    for (const timer of this.#timers) clearTimeout(timer)
    this.#bucket.close()
  }

  async #sweep(): Promise<void> {
    try {
      const count = await sweepBucket(this.#bucket, sweepAgeMs, { signal: this.#closed.signal })
      if (count > 0) this.#logger.info('leftovers of uploads were deleted', { count })
    } catch (error) {
      if (!this.#closed.signal.aborted) {
        this.#logger.warn('leftovers of uploads could not be deleted', { error: messageOf(error) })
      }
    }
  }
}
