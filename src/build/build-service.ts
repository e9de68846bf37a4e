/** The operations that clients ask of the builder: build, prune, list the cache, and BuildKit's protocol. */
import { readdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildCachePruneResponse, BuildCacheRecord, BuildRequest } from '../api/index.ts'
import { Background } from '../base/index.ts'
import type { BuildBackend, BuildClient, BuildPruneOptions, BuiltImageId } from '../contract/index.ts'
import { build } from './builder.ts'
import type { BuildkitEndpoint } from './buildkit/index.ts'
import type { CacheRecord } from './cache/cache-record.ts'
import { prunable, type RecordUse } from './cache/prune.ts'
import type { BuildExporter } from './export/export-target.ts'
import { type BuilderClient, clientHost } from './host/client-host.ts'
import { openView } from './layer/view.ts'
import type { BuildParts } from './model/build-parts.ts'
import { cacheMountsPath } from './run/cache-mounts.ts'

/** How the cache is kept within its limits without a user's request. */
export interface CachePolicy {
  readonly enabled: boolean
  readonly rules: readonly BuildPruneOptions[]
}

/** The result of a prune: ids of the removed records, and the freed bytes. A layer that an image still uses counts as 0
 *  bytes. */
export interface Pruned extends BuildCachePruneResponse {
  readonly CachesDeleted: readonly string[]
}

/** What a `BuildService` works with. */
export interface BuildServiceOptions {
  readonly parts: BuildParts
  readonly exporter: BuildExporter
  /** Read after each build, so a reloaded configuration takes effect at once. */
  readonly policy: () => CachePolicy
  /** Gives the total size of the files in a directory, in bytes. */
  readonly measure: (path: string) => Promise<number>
  /** Called before each build. Throws `noSpace` if the disk is full. */
  readonly requireRoom: () => void
  /** Called with the freed bytes after a prune that a user asked for, not after the automatic one behind builds. */
  readonly onPrune: (freedBytes: number) => void
}

/** Builds images, and lists and prunes the build cache. After each build it prunes the cache in the background by the
 *  rules of `policy`. */
export class BuildService implements BuildBackend {
  readonly #options: BuildServiceOptions
  readonly #background: Background
  #buildkit: Promise<BuildkitEndpoint> | undefined

  constructor(options: BuildServiceOptions) {
    this.#options = options
    this.#background = new Background(options.parts.logger)
  }

  /** Builds every target of the request. Gives for each target its tags and the id of the image in the store; the id is
   *  undefined when the target's outputs leave no image there. Throws `BerthError`, `DockerfileError` for a faulty
   *  Dockerfile, `CommandFailedError` for a RUN that fails.
   *
   *  The parameter also names the contract's `BuildClient`: TypeScript compares parameters of methods loosely, so with
   *  `BuilderClient` alone it would accept a builder that requires more than the API server gives. */
  async build(request: BuildRequest, client: BuildClient | BuilderClient): Promise<readonly BuiltImageId[]> {
    const { parts, exporter, requireRoom } = this.#options
    requireRoom()
    try {
      const { images } = await build(parts, request, clientHost(parts, request, client), exporter)
      return images.map(({ id, target }) => ({ id, tags: request.targets[target]?.tags ?? [] }))
    } finally {
      this.#background.run('build cache collection', () => this.#collect())
    }
  }

  /** Gives the endpoint that serves BuildKit's protocol with this builder. Its code is loaded at the first call. */
  async buildkit(): Promise<BuildkitEndpoint> {
    this.#buildkit ??= openEndpoint(this, this.#options.parts)
    return await this.#buildkit
  }

  /** The rules that keep the cache within its limits. Empty when automatic pruning is off. */
  policy(): readonly BuildPruneOptions[] {
    const { enabled, rules } = this.#options.policy()
    return enabled ? rules : []
  }

  /** Removes cached steps that `options` selects and that no running build uses, on behalf of a user. */
  async prune(options: BuildPruneOptions): Promise<Pruned> {
    const pruned = await this.#prune(options)
    this.#options.onPrune(pruned.SpaceReclaimed)
    return pruned
  }

  async #prune(options: BuildPruneOptions): Promise<Pruned> {
    const { parts } = this.#options
    const records = [...parts.cache.records()]
    const uses = await this.#uses(records)
    const useOf = (record: CacheRecord) => uses.get(record.key) ?? unused
    // Measuring sizes takes a while. A build may have started to use a record since then.
    const isFree = ({ key }: CacheRecord) => !parts.cache.isInUse(key)
    const removed = prunable(records, useOf, options, freeBytes(parts.directory)).filter(isFree)
    const freed = removed.reduce((sum, record) => sum + (useOf(record).shared ? 0 : useOf(record).sizeBytes), 0)
    for (const { key, type } of removed) {
      if (type === 'exec.cachemount') parts.trash.discard(join(cacheMountsPath(parts.directory), key))
    }
    await parts.cache.remove(removed)
    return { CachesDeleted: removed.map(({ key }) => key.slice(0, idLength)), SpaceReclaimed: freed }
  }

  /** The cache records for `system df` and `builder du`, aliases left out. */
  async usage(): Promise<readonly BuildCacheRecord[]> {
    const records = [...this.#options.parts.cache.records()].filter(({ isAlias }) => isAlias !== true)
    const uses = await this.#uses(records)
    const byChain = new Map<string, string>(records.map(({ chainId, key }) => [chainId, key.slice(0, idLength)]))
    return records.map((record) => {
      const { inUse, shared, sizeBytes } = uses.get(record.key) ?? unused
      const parent = record.parent === undefined ? undefined : byChain.get(record.parent)
      return {
        ID: record.key.slice(0, idLength),
        ...(parent === undefined ? {} : { Parents: [parent] }),
        Type: record.type,
        Description: record.description,
        InUse: inUse,
        Shared: shared,
        Size: sizeBytes,
        CreatedAt: new Date(record.createdMs).toISOString(),
        LastUsedAt: new Date(record.lastUsedMs).toISOString(),
        UsageCount: record.uses,
      }
    })
  }

  /** Waits for background work and for deletions, then ends the worker threads. */
  async close(): Promise<void> {
    await this.#background.drain()
    await this.#options.parts.trash.drain()
    await this.#options.parts.workers.close()
  }

  async #collect(): Promise<void> {
    for (const rule of this.policy()) await this.#prune(rule)
  }

  async #uses(records: readonly CacheRecord[]): Promise<ReadonlyMap<string, RecordUse>> {
    const { parts, measure } = this.#options
    const ofImages = new Set<string>()
    for (const { layers } of parts.images.store.records()) for (const { chainId } of layers) ofImages.add(chainId)
    const present = new Set(namesIn(cacheMountsPath(parts.directory)))
    const uses = new Map<string, RecordUse>()
    for (const { key, type, chainId, sizeBytes } of records) {
      const isMount = type === 'exec.cachemount'
      const size = isMount && present.has(key) ? await measure(join(cacheMountsPath(parts.directory), key)) : sizeBytes
      uses.set(key, { inUse: parts.cache.isInUse(key), shared: ofImages.has(chainId), sizeBytes: size })
    }
    return uses
  }
}

/** Loads BuildKit's endpoint when it is first used. */
async function openEndpoint(service: BuildService, parts: BuildParts): Promise<BuildkitEndpoint> {
  const { BuildkitEndpoint } = await import('./buildkit/index.ts')
  return new BuildkitEndpoint({
    directory: parts.directory,
    openView: (chainId) => openView(parts, chainId),
    build: (request, client) => service.build(request, client),
    prune: (options) => service.prune(options),
    policy: () => service.policy(),
    usage: () => service.usage(),
  })
}

const idLength = 25
const unused: RecordUse = { inUse: false, shared: false, sizeBytes: 0 }

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    // No build has made a cache mount yet.
    return []
  }
}
