/** Deletes the least recently used contents of the cache: after their time to live, or if the cache is too large. This
 *  needs no coordination with requests. A request that is sending a blob has it open, and a later one downloads it
 *  again. */
import { Background, type Logger } from '../../../base/index.ts'
import type { ManifestLibrary } from '../library/manifest-library.ts'
import type { BlobDigest } from '../model/blob-digest.ts'
import {
  blobKey,
  blobsPrefix,
  digestOfKey,
  linksPrefix,
  manifestOfKey,
  repositoriesPrefix,
} from '../model/registry-keys.ts'
import type { ObjectStorage } from '../storage/registry-storage.ts'
import { type CacheUsage, listAll } from './cache-usage.ts'

export interface EvictorOptions {
  readonly objects: ObjectStorage
  readonly manifests: ManifestLibrary
  readonly usage: CacheUsage
  readonly logger: Logger
  /** 0: contents stay forever. */
  readonly ttlMs: number
  /** 0: no limit. */
  readonly maxSizeBytes: number
}

/** The share of the limit that is freed in addition, so that not every new blob causes an eviction. */
const spareShare = 0.05
const maxIntervalMs = 3_600_000
const minIntervalMs = 1000

interface CachedBlob {
  readonly digest: BlobDigest
  readonly sizeBytes: number
  readonly usedMs: number
}

export class CacheEvictor {
  readonly #options: EvictorOptions
  readonly #background: Background
  readonly #timer: NodeJS.Timeout | undefined
  /** The size at the last count, plus the blobs that were added since. */
  #sizeBytes = 0
  #isRunning = false
  #isAsked = false
  #isClosed = false

  constructor(options: EvictorOptions) {
    this.#options = options
    this.#background = new Background(options.logger)
    const { ttlMs, maxSizeBytes } = options
    if (ttlMs === 0 && maxSizeBytes === 0) return
    const shareMs = ttlMs === 0 ? maxIntervalMs : ttlMs / 4
    const intervalMs = Math.min(Math.max(shareMs, minIntervalMs), maxIntervalMs)
    this.#timer = setInterval(() => this.start(), intervalMs)
    this.#timer.unref()
    this.start()
  }

  /** To be called after a blob was stored. */
  added(sizeBytes: number): void {
    this.#sizeBytes += sizeBytes
    const { maxSizeBytes } = this.#options
    if (maxSizeBytes > 0 && this.#sizeBytes > maxSizeBytes) this.start()
  }

  /** Checks the cache in the background. If a check is running, another one follows. */
  start(): void {
    this.#isAsked = true
    if (this.#isRunning || this.#isClosed) return
    this.#isRunning = true
    this.#background.run('evict', async () => {
      try {
        while (this.#isAsked && !this.#isClosed) {
          this.#isAsked = false
          await this.#evict()
        }
      } finally {
        this.#isRunning = false
      }
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#background.drain()
  }

  async #evict(): Promise<void> {
    const { ttlMs, usage, logger } = this.#options
    const uses = await usage.read()
    if (ttlMs > 0) await this.#evictManifests(uses, Date.now() - ttlMs)
    const blobs = await this.#blobs(uses)
    const doomed = this.#choose(blobs)
    for (const { digest } of doomed) {
      if (this.#isClosed) return
      await this.#deleteBlob(digest)
    }
    const known = new Set(blobs.map(({ digest }) => blobKey(digest)))
    for (const key of uses.keys()) if (key.startsWith(blobsPrefix) && !known.has(key)) await usage.forget(key)
    this.#sizeBytes = sizeOf(blobs) - sizeOf(doomed)
    if (doomed.length > 0) logger.info('cache made room', { blobs: doomed.length, bytes: sizeOf(doomed) })
  }

  /** Chooses the blobs to delete: all that are too old, then the oldest until the size is right. */
  #choose(blobs: readonly CachedBlob[]): readonly CachedBlob[] {
    const { ttlMs, maxSizeBytes } = this.#options
    const oldestFirst = blobs.toSorted((one, other) => one.usedMs - other.usedMs)
    const oldest = ttlMs === 0 ? Number.NEGATIVE_INFINITY : Date.now() - ttlMs
    let total = sizeOf(blobs)
    const isTooMuch = maxSizeBytes > 0 && total > maxSizeBytes
    const wanted = isTooMuch ? maxSizeBytes * (1 - spareShare) : Number.POSITIVE_INFINITY
    const doomed: CachedBlob[] = []
    for (const blob of oldestFirst) {
      if (blob.usedMs > oldest && total <= wanted) break
      doomed.push(blob)
      total -= blob.sizeBytes
    }
    return doomed
  }

  async #blobs(uses: ReadonlyMap<string, number>): Promise<readonly CachedBlob[]> {
    const blobs: CachedBlob[] = []
    for await (const { key, sizeBytes, modifiedAt } of listAll(this.#options.objects, blobsPrefix)) {
      const digest = digestOfKey(key)
      const usedMs = Math.max(modifiedAt.getTime(), uses.get(key) ?? 0)
      if (digest !== undefined) blobs.push({ digest, sizeBytes, usedMs })
    }
    return blobs
  }

  async #evictManifests(uses: ReadonlyMap<string, number>, oldest: number): Promise<void> {
    const { objects, manifests, usage } = this.#options
    for await (const { key, modifiedAt } of listAll(objects, repositoriesPrefix)) {
      const manifest = manifestOfKey(key)
      if (manifest === undefined || Math.max(modifiedAt.getTime(), uses.get(key) ?? 0) > oldest) continue
      await manifests.deleteManifest(manifest.repository, manifest.digest)
      await usage.forget(key)
    }
  }

  /** Deletes the links first. Without them requests no longer find the blob. */
  async #deleteBlob(digest: BlobDigest): Promise<void> {
    const { objects, usage } = this.#options
    for await (const { key } of listAll(objects, linksPrefix(digest))) await objects.delete(key)
    await objects.delete(blobKey(digest))
    await usage.forget(blobKey(digest))
  }
}

function sizeOf(blobs: readonly CachedBlob[]): number {
  return blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}
