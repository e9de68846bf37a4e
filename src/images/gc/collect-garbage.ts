/** Garbage collection: removes blobs and layer snapshots that no image, container or lease needs.
 *  It runs beside pulls, loads and commits. This is safe because the last check and the removal of a thing are one
 *  synchronous step: work that leased the thing before it keeps it, and work that asks later does not find it. Things
 *  younger than the oldest work in progress stay (see activity-gate.ts). */
import { statSync } from 'node:fs'
import { errnoOf, isKind, type Logger, messageOf } from '../../base/index.ts'
import type { Leases, LocalContentStore } from '../../content/index.ts'
import { type Digest, isDigest } from '../../oci/index.ts'
import type { Snapshotter } from '../../snapshots/index.ts'
import { childrenFirst, type Stacked } from '../catalog/children-first.ts'
import type { ImageRecord } from '../catalog/image.ts'
import type { ImageStore } from '../catalog/image-store.ts'
import { isStreamIngest } from '../catalog/ingest-keys.ts'
import type { ActivityGate } from './activity-gate.ts'

/** What a collection looks at. */
export interface ImageGarbageOptions {
  readonly store: ImageStore
  readonly content: LocalContentStore
  readonly snapshots: Snapshotter
  readonly leases: Leases
  readonly gate: ActivityGate
  readonly logger: Logger
}

/** What a collection removed. */
export interface CollectedGarbage {
  /** Chain IDs of the removed layers, highest first. */
  readonly snapshots: readonly Digest[]
  readonly blobs: readonly Digest[]
  readonly freedBytes: number
  /** True when something that no image needs stays for now, because a container is based on it or work in progress
   *  holds it. */
  readonly isPostponed: boolean
}

/** Blobs and snapshots that no image, container or lease references. */
export interface UnusedContent {
  readonly blobs: readonly Digest[]
  readonly chains: readonly Digest[]
  /** Keys of unfinished downloads. */
  readonly ingests: readonly string[]
}

/** Leftovers of an interrupted pull are kept this long, so that the next pull resumes. */
const keepUnfinishedMs = 24 * 60 * 60 * 1000

/** Removes blobs and layers that nothing references. */
export class ImageGarbage {
  readonly #options: ImageGarbageOptions
  #used: { readonly revision: number; readonly blobs: Set<Digest>; readonly chains: Set<Digest> } | undefined

  constructor(options: ImageGarbageOptions) {
    this.#options = options
  }

  /** Drops the streams of loads and imports of an earlier run, which nothing can resume. Called at boot. */
  async dropBrokenStreams(): Promise<void> {
    const { content } = this.#options
    await content.unfinished.dropBroken()
    for await (const { key } of content.unfinished.walk()) if (isStreamIngest(key)) await content.unfinished.drop(key)
  }

  /** Removes blobs and layers that only these images used. The images must already be gone from the store. */
  async collectOf(images: readonly ImageRecord[]): Promise<CollectedGarbage> {
    return await this.#options.gate.collect(async () => {
      const chains = new Set<Digest>()
      for (const { layers } of images) for (const { chainId } of [...layers].reverse()) chains.add(chainId)
      // All of this belonged to an image, so other users of it have leases by now: its age does not matter.
      return await this.#remove([...chains], new Set(images.flatMap(blobsOf)), Number.POSITIVE_INFINITY)
    })
  }

  /** Removes those of the given blobs and layers (parents first) that nothing references. */
  async discard(blobs: ReadonlySet<Digest>, chainIds: ReadonlySet<Digest>): Promise<CollectedGarbage> {
    return await this.#options.gate.collect(() =>
      this.#remove([...chainIds].reverse(), blobs, Number.POSITIVE_INFINITY),
    )
  }

  /** Removes everything unused. Without `unfinished`, leftovers of the last 24 hours stay, so that a pull can
   *  resume. */
  async sweep({ unfinished = false }: { readonly unfinished?: boolean } = {}): Promise<CollectedGarbage> {
    return await this.#options.gate.collect(async () => {
      const limitMs = unfinished ? Number.POSITIVE_INFINITY : Date.now() - keepUnfinishedMs
      await this.#dropIngests(limitMs)
      const [layers, blobs] = [await this.#layersBefore(limitMs), await this.#blobsBefore(limitMs)]
      return await this.#remove(layers, blobs, this.#options.gate.oldestStartMs)
    })
  }

  /** What a sweep with `unfinished` would remove. */
  async unused(): Promise<UnusedContent> {
    const { content, gate, leases } = this.#options
    const limitMs = gate.oldestStartMs
    const blobs = [...(await this.#blobsBefore(limitMs))].filter((digest) => this.#isFreeBlob(digest))
    const chains = (await this.#layersBefore(limitMs)).filter((chainId) => this.#isFreeLayer(chainId))
    const ingests: string[] = []
    for await (const { key, updated } of content.unfinished.walk()) {
      if (updated.getTime() < limitMs && !holdsIngest(leases, key)) ingests.push(key)
    }
    return { blobs, chains, ingests }
  }

  async #blobsBefore(limitMs: number): Promise<Set<Digest>> {
    const blobs = new Set<Digest>()
    for await (const { digest } of this.#options.content.walk()) {
      if (!this.#inUse().blobs.has(digest) && this.#changedMs(digest) < limitMs) blobs.add(digest)
    }
    return blobs
  }

  /** Unused layers older than the limit (Unix milliseconds), children before their parents. */
  async #layersBefore(limitMs: number): Promise<Digest[]> {
    const layers: Stacked<Digest>[] = []
    for await (const { kind, key, parent, created } of this.#options.snapshots.walk()) {
      if (kind === 'committed' && isDigest(key) && created.getTime() < limitMs) layers.push({ key, parent })
    }
    return childrenFirst(layers)
  }

  async #dropIngests(limitMs: number): Promise<void> {
    const { content, gate, leases } = this.#options
    for await (const { key, updated } of content.unfinished.walk()) {
      if (updated.getTime() >= Math.min(limitMs, gate.oldestStartMs)) continue
      if (holdsIngest(leases, key)) continue
      try {
        await content.unfinished.drop(key)
      } catch (error) {
        // It is being written just now.
        if (!isKind(error, 'conflict')) throw error
      }
    }
  }

  async #remove(
    chains: readonly Digest[],
    blobs: ReadonlySet<Digest>,
    youngerThanMs: number,
  ): Promise<CollectedGarbage> {
    const { content, logger } = this.#options
    const removedSnapshots: Digest[] = []
    const removedBlobs: Digest[] = []
    let freedBytes = 0
    let isPostponed = false
    for (const chainId of chains) {
      const result = await this.#removeSnapshot(chainId, youngerThanMs)
      if (result === 'inUse') isPostponed = true
      if (typeof result !== 'number') continue
      removedSnapshots.push(chainId)
      freedBytes += result
    }
    for (const digest of blobs) {
      const found = await content.find(digest)
      if (found === undefined || this.#inUse().blobs.has(digest)) continue
      if (this.#options.leases.holds({ kind: 'blob', key: digest })) isPostponed = true
      if (!this.#isFreeBlob(digest) || this.#changedMs(digest) >= youngerThanMs) continue
      // The blob is gone when this call returns; its space is freed later.
      await content.delete(digest)
      removedBlobs.push(digest)
      freedBytes += found.sizeBytes
    }
    logger.debug('garbage collected', { snapshots: removedSnapshots.length, blobs: removedBlobs.length })
    return { snapshots: removedSnapshots, blobs: removedBlobs, freedBytes, isPostponed }
  }

  /** Removes a layer and returns its size in bytes, or why it stays. */
  async #removeSnapshot(chainId: Digest, youngerThanMs: number): Promise<number | 'inUse' | 'notRemoved'> {
    const { snapshots, logger } = this.#options
    try {
      if (this.#inUse().chains.has(chainId)) return 'notRemoved'
      const layer = await snapshots.find(chainId)
      if (layer === undefined) return 'notRemoved'
      const freedBytes = layer.sizeBytes ?? (await snapshots.usage(chainId)).sizeBytes
      if (this.#options.leases.holds({ kind: 'snapshot', key: chainId })) return 'inUse'
      if (layer.created.getTime() >= youngerThanMs || !this.#isFreeLayer(chainId)) return 'notRemoved'
      await snapshots.remove(chainId)
      return freedBytes
    } catch (error) {
      if (isKind(error, 'conflict')) return 'inUse'
      if (!isKind(error, 'notFound')) {
        logger.warn('cannot remove unused layer', { chainId, error: messageOf(error) })
      }
      return 'notRemoved'
    }
  }

  #isFreeLayer(chainId: Digest): boolean {
    return !this.#inUse().chains.has(chainId) && !this.#options.leases.holds({ kind: 'snapshot', key: chainId })
  }

  #isFreeBlob(digest: Digest): boolean {
    return !this.#inUse().blobs.has(digest) && !this.#options.leases.holds({ kind: 'blob', key: digest })
  }

  /** Time of the last write to a blob (Unix milliseconds); infinity for a missing one. */
  #changedMs(digest: Digest): number {
    try {
      return statSync(this.#options.content.pathOf(digest)).mtimeMs
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return Number.POSITIVE_INFINITY
      throw error
    }
  }

  /** Everything that images refer to now; kept until the store changes. */
  #inUse(): { readonly blobs: ReadonlySet<Digest>; readonly chains: ReadonlySet<Digest> } {
    const { store } = this.#options
    if (this.#used?.revision === store.revision) return this.#used
    const used = { revision: store.revision, blobs: new Set<Digest>(), chains: new Set<Digest>() }
    for (const record of store.records()) {
      for (const digest of blobsOf(record)) used.blobs.add(digest)
      for (const { chainId } of record.layers) used.chains.add(chainId)
      for (const { target } of store.names.of(record.id)) used.blobs.add(target.digest)
    }
    this.#used = used
    return used
  }
}

/** True while a lease holds the blob that this ingest downloads. */
function holdsIngest(leases: Leases, key: string): boolean {
  const digest = /[a-z0-9]+:[0-9a-f]{64,}/.exec(key)?.[0]
  return digest !== undefined && leases.holds({ kind: 'blob', key: digest })
}

function blobsOf(record: ImageRecord): Digest[] {
  const { id, manifest, layers, attachments = [] } = record
  return [id, manifest.digest, ...layers.map(({ blob }) => blob.digest), ...attachments.map(({ digest }) => digest)]
}
