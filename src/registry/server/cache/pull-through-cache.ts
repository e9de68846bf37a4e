/** Makes a registry the cache of another one. Its `source` is passed to `createRegistry` as `pullSource`. Any number of
 *  processes may share one storage. */
import { type Logger, nullLogger } from '../../../base/index.ts'
import type { LocalContents } from '../library/local-source.ts'
import type { PullSource } from '../library/pull-source.ts'
import type { RegistryStorage } from '../storage/registry-storage.ts'
import { CacheEvictor } from './cache-evictor.ts'
import { CacheUsage } from './cache-usage.ts'
import { CachedSource } from './cached-source.ts'
import type { ProxyOptions } from './proxy-options.ts'
import { Upstream } from './upstream.ts'

const defaultSpoolFolder = '/var/tmp'
/** Times of use are written at this interval, or at a tenth of a shorter time to live. */
const maxNoteMs = 3_600_000
const noteShare = 10

/** A cache of another registry. */
export class PullThroughCache {
  readonly #storage: RegistryStorage
  readonly #options: ProxyOptions
  readonly #logger: Logger
  readonly #closed = new AbortController()
  readonly #upstream: Upstream
  #parts: { readonly source: CachedSource; readonly evictor: CacheEvictor } | undefined

  /** `storage` is the registry's storage. The caller closes it after the cache. */
  constructor(storage: RegistryStorage, options: ProxyOptions, logger: Logger = nullLogger) {
    this.#storage = storage
    this.#options = options
    this.#logger = logger.child({ upstream: new URL(options.remote).host })
    this.#upstream = new Upstream(options, this.#logger)
  }

  /** Makes the source; to be passed as `pullSource`, which `createRegistry` calls once. */
  readonly source = (local: LocalContents): PullSource => {
    const { ttlMs = 0, maxSizeBytes = 0, spoolFolder = defaultSpoolFolder } = this.#options
    const { objects, uploads } = this.#storage
    const logger = this.#logger
    const usage = new CacheUsage(objects, ttlMs === 0 ? maxNoteMs : Math.min(maxNoteMs, ttlMs / noteShare))
    const evictor = new CacheEvictor({ objects, manifests: local.manifests, usage, logger, ttlMs, maxSizeBytes })
    const source = new CachedSource({
      local,
      upstream: this.#upstream,
      uploads,
      // If nothing is ever evicted, times of use are not needed.
      usage: ttlMs === 0 && maxSizeBytes === 0 ? undefined : usage,
      evictor,
      spoolFolder,
      logger,
      signal: this.#closed.signal,
    })
    this.#parts = { source, evictor }
    return source
  }

  /** Cancels all downloads and waits for their end. Idempotent. */
  async close(): Promise<void> {
    this.#closed.abort()
    await this.#parts?.source.drain()
    await this.#parts?.evictor.close()
    this.#upstream.close()
  }
}
