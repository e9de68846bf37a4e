/** The download of one blob from upstream. Its bytes go into the storage, and through a spool file to every client
 *  that asks meanwhile, each at its own pace. The download goes on when clients leave.
 *
 *  The last byte is released only after the digest was verified and the blob stored. So no client gets a whole blob
 *  that is wrong, and a client that got a whole blob finds it in the cache the next time. */
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { type AbortOptions, BerthError, type Logger, messageOf } from '../../../base/index.ts'
import type { BlobLibrary } from '../library/blob-library.ts'
import { algorithmOf, type BlobDigest, hasherOf, hexOfBlob } from '../model/blob-digest.ts'
import type { ByteRange, UploadStorage } from '../storage/registry-storage.ts'
import { SpoolFile } from './spool-file.ts'

export interface BlobDownloadOptions {
  readonly repository: string
  readonly digest: BlobDigest
  readonly sizeBytes: number
  /** The bytes from upstream. Rejects if they end early. */
  readonly source: AsyncGenerator<Buffer, void, undefined>
  readonly uploads: UploadStorage
  readonly blobs: BlobLibrary
  readonly spoolFolder: string
  readonly logger: Logger
}

const readBytes = 256 * 1024
/** Bytes that are held back until the blob is verified and stored. */
const heldBackBytes = 1

export class BlobDownload {
  readonly sizeBytes: number
  /** Resolves when the download has ended, successful or not. */
  readonly ended: Promise<void>
  readonly #options: BlobDownloadOptions
  #spool: SpoolFile | undefined
  /** How many bytes may be sent to clients. */
  #released = 0
  #failure: unknown
  #hasEnded = false
  #readers = 0
  #change = Promise.withResolvers<void>()

  constructor(options: BlobDownloadOptions) {
    this.#options = options
    this.sizeBytes = options.sizeBytes
    this.ended = this.#run()
  }

  /** The bytes of a range as they arrive. Rejects if the download ends before the first of them. */
  async open({ start = 0, end = this.sizeBytes - 1, signal }: ByteRange & AbortOptions = {}): Promise<Readable> {
    this.#readers += 1
    try {
      while (this.#released <= start && !this.#hasEnded) await this.#change.promise
      if (this.#released <= start) throw this.#failure
    } catch (error) {
      await this.#leave()
      throw error
    }
    const options = { objectMode: false, highWaterMark: readBytes, ...(signal === undefined ? {} : { signal }) }
    const stream = Readable.from(this.#follow(start, end), options)
    stream.once('close', () => void this.#leave())
    return stream
  }

  async *#follow(start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
    for (let position = start; position <= end; ) {
      const length = Math.min(this.#released, end + 1) - position
      if (length > 0) {
        const chunk = await this.#spooled().read(position, Math.min(length, readBytes))
        position += chunk.length
        yield chunk
      } else if (this.#hasEnded) throw this.#failure
      else await this.#change.promise
    }
  }

  #spooled(): SpoolFile {
    if (this.#spool === undefined) throw new BerthError('internal', 'the download has not begun')
    return this.#spool
  }

  async #leave(): Promise<void> {
    this.#readers -= 1
    await this.#closeSpool()
  }

  async #closeSpool(): Promise<void> {
    if (!this.#hasEnded || this.#readers > 0) return
    const spool = this.#spool
    this.#spool = undefined
    await spool?.close()
  }

  /** Never rejects: the readers get the failure. */
  async #run(): Promise<void> {
    const { digest, repository, logger } = this.#options
    const uploadId = `cache-${randomUUID()}`
    try {
      this.#spool = await SpoolFile.create(this.#options.spoolFolder)
      const received = this.#receive()
      const isStored = await this.#store(uploadId, received)
      // If storing failed, the rest is still downloaded for the clients.
      while ((await received.next()).done !== true);
      if (this.#failure !== undefined) throw this.#failure
      if (isStored) await this.#commit(uploadId)
      this.#release(this.sizeBytes)
    } catch (error) {
      this.#failure = error
      logger.warn('blob not fetched', { repository, digest, error: messageOf(error) })
      await this.#options.uploads.abort(uploadId).catch(() => {}) // left for the garbage collection
    }
    this.#hasEnded = true
    this.#release(this.#released)
    await this.#closeSpool()
  }

  /** Passes bytes from upstream on as fast as the storage takes them. Does not reject: a failure of upstream is noted
   *  in `#failure`, and an error of `append` comes from the storage only. */
  async *#receive(): AsyncGenerator<Buffer, void, undefined> {
    const { source, digest } = this.#options
    const hash = hasherOf(algorithmOf(digest))
    const spool = this.#spooled()
    try {
      for await (const chunk of source) {
        hash.update(chunk)
        await spool.write(chunk)
        this.#release(Math.min(spool.sizeBytes, this.sizeBytes - heldBackBytes))
        yield chunk
      }
      if (hash.digest('hex') === hexOfBlob(digest)) return
      this.#failure = new BerthError('dataLoss', `upstream sent other bytes than those of ${digest}`)
    } catch (error) {
      this.#failure = error
    }
  }

  /** Stores the bytes; true if all that were received are in the storage. */
  async #store(uploadId: string, received: AsyncGenerator<Buffer, void, undefined>): Promise<boolean> {
    const { uploads, digest, logger } = this.#options
    // This iterator has no `return`, so that a failing storage doesn't end the download.
    const source = { [Symbol.asyncIterator]: () => ({ next: () => received.next() }) }
    try {
      await uploads.create(uploadId)
      await uploads.append(uploadId, 0, source, { algorithm: algorithmOf(digest) })
      return true
    } catch (error) {
      logger.error('blob not cached', { digest, error: messageOf(error) })
      return false
    }
  }

  async #commit(uploadId: string): Promise<void> {
    const { blobs, repository, digest, logger } = this.#options
    try {
      await blobs.commitUpload(repository, uploadId, digest)
    } catch (error) {
      // The bytes are verified, so the clients may have them. Only the next client has to wait for a download again.
      logger.error('blob not cached', { digest, error: messageOf(error) })
    }
  }

  #release(bytes: number): void {
    this.#released = Math.max(this.#released, bytes)
    const { resolve } = this.#change
    this.#change = Promise.withResolvers()
    resolve()
  }
}
