/** A registry as `registry.yml` describes it: its storage, access, extensions and sockets. */
import { isDeepStrictEqual } from 'node:util'
import { isKind, type Logger, messageOf, type Undo, undoOnFailure } from '../../base/index.ts'
import { registriesConfig } from '../../config/index.ts'
import type { RegistryConfig, RegistryPlace, RegistryProxy } from '../../config/registry/index.ts'
import {
  AccessLog,
  combineObservers,
  createRegistry,
  FolderStorage,
  HealthExtension,
  PullThroughCache,
  type Registry,
  type RegistryListener,
  RegistryMetrics,
  type RegistryObserver,
  type RegistryStorage,
  S3Storage,
  SearchExtension,
} from '../../registry/server/index.ts'
import { RegistryAccess } from './registry-access.ts'
import { loadRegistryTls } from './registry-tls.ts'

/** Where a registry writes its logs. */
export interface ServedRegistryOptions {
  readonly logger: Logger
  /** Receives the lines of the access log. */
  readonly writeAccess: (line: string) => void
}

interface Parts {
  readonly registry: Registry
  readonly access: RegistryAccess
  readonly storage: RegistryStorage
  readonly cache: PullThroughCache | undefined
  readonly logger: Logger
}

/** A running registry. */
export class ServedRegistry {
  readonly #parts: Parts
  readonly #collecting = new AbortController()
  #config: RegistryConfig
  #listeners: readonly RegistryListener[] = []
  #timer: NodeJS.Timeout | undefined
  #collection: Promise<void> | undefined

  private constructor(config: RegistryConfig, parts: Parts) {
    this.#config = config
    this.#parts = parts
  }

  /** Opens everything, and listens on all addresses. If anything fails, closes what was opened and rejects. */
  static async open(config: RegistryConfig, options: ServedRegistryOptions): Promise<ServedRegistry> {
    return await undoOnFailure(options.logger, async (undo) => {
      const parts = await openParts(config, options, undo)
      const served = new ServedRegistry(config, parts)
      const tls = config.tls === undefined ? undefined : loadRegistryTls(config.tls)
      for (const { host, port } of config.listen) {
        served.#listeners = [...served.#listeners, await parts.registry.listen({ host, port, tls })]
      }
      served.#collectLater()
      return served
    })
  }

  /** The URL of each address, which clients put before `/v2/`. */
  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => url)
  }

  /** Puts the certificates, users, groups and rules of another configuration in force. Gives the names of changed
   *  settings that need a restart. Rejects with `invalidArgument`; the old configuration then stays in force. */
  async reload(config: RegistryConfig): Promise<readonly string[]> {
    const tls = config.tls === undefined || this.#config.tls === undefined ? undefined : loadRegistryTls(config.tls)
    await this.#parts.access.reload(config)
    if (tls !== undefined) for (const listener of this.#listeners) listener.setTls(tls)
    const kept = keptSettings(this.#config, config)
    const log = { ...this.#config.log, level: config.log.level }
    this.#config = { ...this.#config, log, auth: config.auth, ...(tls === undefined ? {} : { tls: config.tls }) }
    return kept
  }

  /** Accepts no more requests, waits for the running ones as long as configured, and closes everything. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#collecting.abort()
    await this.#parts.registry.close(this.#config.http.drainMs)
    await this.#collection
    await this.#parts.access[Symbol.asyncDispose]()
    await this.#parts.cache?.close()
    await this.#parts.storage.close()
  }

  #collectLater(): void {
    const { intervalMs } = this.#config.gc
    if (intervalMs === 0) return
    // Random, so that several processes on one storage do not all collect at the same time.
    const delayMs = Math.min(intervalMs * (0.9 + Math.random() * 0.2), 2 ** 31 - 1)
    this.#timer = setTimeout(() => {
      this.#collection = this.#collect().finally(() => this.#collectLater())
    }, delayMs)
  }

  async #collect(): Promise<void> {
    const { registry, logger } = this.#parts
    try {
      const { isDryRun: _, ...report } = await registry.collectGarbage({ signal: this.#collecting.signal })
      logger.info('garbage collected', report)
    } catch (error) {
      if (this.#collecting.signal.aborted) return
      if (isKind(error, 'conflict')) logger.debug('another process collects garbage')
      else logger.error('garbage not collected', { error: messageOf(error) })
    }
  }
}

/** Opens the storage that the configuration names. */
export function openRegistryStorage(place: RegistryPlace, logger: Logger): Promise<RegistryStorage> {
  return place.kind === 's3' ? S3Storage.open(place.s3, { logger }) : FolderStorage.open(place.folder)
}

async function openParts(
  config: RegistryConfig,
  { logger, writeAccess }: ServedRegistryOptions,
  undo: Undo,
): Promise<Parts> {
  const storage = await openRegistryStorage(config.storage, logger)
  undo.add(() => storage.close())
  const access = await RegistryAccess.open(config, { objects: storage.objects, logger })
  undo.add(() => access[Symbol.asyncDispose]())
  const { authorizer } = access
  const metrics = config.metrics ? [new RegistryMetrics(storage)] : []
  const observers: RegistryObserver[] = [...metrics]
  if (config.log.access) observers.push(new AccessLog(config.log.format, writeAccess))
  const onFailure = (error: string): void => logger.error('the storage cannot be used', { error })
  const { limits, http } = config
  const cache = config.proxy === undefined ? undefined : openCache(storage, config.proxy, logger)
  undo.add(() => cache?.close())
  const registry = await createRegistry({
    storage,
    pullSource: cache?.source,
    authorizer,
    observer: combineObservers(observers),
    logger,
    limits: {
      manifestBytes: limits.manifestBytes,
      concurrentUploads: limits.uploads,
      idleMs: limits.idleMs,
      headerBytes: limits.headerBytes,
      pageEntries: config.catalog.pageSize,
    },
    isReadOnly: config.readonly,
    deleteEnabled: config.deleteEnabled,
    locations: http.publicUrl === undefined ? (http.relativeUrls ? 'relative' : 'host') : { publicUrl: http.publicUrl },
    headers: http.headers,
    garbageGraceMs: config.gc.graceMs,
    extensions: [
      access.tokens,
      new HealthExtension({ storage, onFailure }),
      new SearchExtension({ objects: storage.objects, authorizer }),
      ...metrics,
    ],
  })
  undo.add(() => registry.close(0))
  return { registry, access, storage, cache, logger }
}

/** The cache. It reaches the other registry as the daemon does: by the environment's proxies, with certificates by
 *  host. */
function openCache(storage: RegistryStorage, proxy: RegistryProxy, logger: Logger): PullThroughCache {
  const { proxies, certificateDirectories } = registriesConfig({})
  return new PullThroughCache(storage, { ...proxy, client: { proxies, certificateDirectories } }, logger)
}

/** The settings that differ but are read at the start only. */
function keptSettings(old: RegistryConfig, wanted: RegistryConfig): readonly string[] {
  const { auth: _auth, tls: oldTls, ...before } = { ...old, log: { ...old.log, level: wanted.log.level } }
  const { auth: _, tls: newTls, ...after } = wanted
  const names = Object.keys(before) as (keyof typeof before)[]
  const kept: string[] = names.filter((name) => !isDeepStrictEqual(before[name], after[name]))
  return (oldTls === undefined) === (newTls === undefined) ? kept : [...kept, 'tls']
}
