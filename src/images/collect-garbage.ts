/** Garbage collection: blobs and layer snapshots that no image, no container and no lease needs. */
import { stat } from 'node:fs/promises'
import { isKind, type Logger, messageOf } from '../base/index.ts'
import type { Leases, LocalContentStore } from '../content/index.ts'
import { type Digest, isDigest } from '../oci/index.ts'
import type { Snapshotter } from '../snapshots/index.ts'
import type { ActivityGate } from './activity-gate.ts'
import type { ImageRecord } from './image.ts'
import type { ImageStore } from './image-store.ts'
import { isStreamIngest } from './ingest-keys.ts'

export interface ImageGarbageOptions {
  readonly store: ImageStore
  readonly content: LocalContentStore
  readonly snapshots: Snapshotter
  readonly leases: Leases
  readonly gate: ActivityGate
  readonly logger: Logger
}

export interface CollectedGarbage {
  /** Chain ids of removed layers, highest first. */
  readonly snapshots: readonly Digest[]
  readonly blobs: readonly Digest[]
  readonly freedBytes: number
  /** True when something still stands on a layer that nothing else needs: that layer stays for now. */
  readonly isPostponed: boolean
}

/** What is left of an interrupted pull is kept this long, so that the next try goes on from it. */
const keepUnfinishedMs = 24 * 60 * 60 * 1000

/** Removes what nothing refers to. Waits until no image is in the making. */
export class ImageGarbage {
  readonly #options: ImageGarbageOptions

  constructor(options: ImageGarbageOptions) {
    this.#options = options
  }

  /** At boot: drops the streams of loads and imports that an earlier run left, for nobody can resume these. */
  async dropBrokenStreams(): Promise<void> {
    const { content } = this.#options
    await content.dropBroken()
    for await (const { key } of content.ingests()) if (isStreamIngest(key)) await content.abort(key)
  }

  /** Removes what only these images used. They must be gone from the store. */
  async collectOf(images: readonly ImageRecord[]): Promise<CollectedGarbage> {
    return await this.#options.gate.collect(async () => {
      const used = this.#usedBlobs()
      const blobs = new Set<Digest>()
      for (const image of images) for (const digest of blobsOf(image)) if (!used.has(digest)) blobs.add(digest)
      const chain = new Set<Digest>()
      for (const { layers } of images) for (const { chainId } of [...layers].reverse()) chain.add(chainId)
      return await this.#remove([...chain], blobs)
    })
  }

  /** Removes everything unused, whatever it comes from, except what may yet be used by resumed work. */
  async sweep({ unfinished = false }: { readonly unfinished?: boolean } = {}): Promise<CollectedGarbage> {
    return await this.#options.gate.collect(async () => {
      const limitMs = unfinished ? Number.POSITIVE_INFINITY : Date.now() - keepUnfinishedMs
      await this.#dropIngests(limitMs)
      return await this.#remove(await this.#layersBefore(limitMs), await this.#unusedBlobs(limitMs))
    })
  }

  async #unusedBlobs(limitMs: number): Promise<Set<Digest>> {
    const { content } = this.#options
    const used = this.#usedBlobs()
    const blobs = new Set<Digest>()
    for await (const { digest } of content.walk()) {
      if (used.has(digest)) continue
      const { mtimeMs } = await stat(content.pathOf(digest))
      if (mtimeMs < limitMs) blobs.add(digest)
    }
    return blobs
  }

  /** Newest first, so that children go before their parents. */
  async #layersBefore(limitMs: number): Promise<Digest[]> {
    const layers: Digest[] = []
    for await (const { kind, key, created } of this.#options.snapshots.walk()) {
      if (kind === 'committed' && isDigest(key) && created.getTime() < limitMs) layers.push(key)
    }
    return layers.reverse()
  }

  async #dropIngests(limitMs: number): Promise<void> {
    const { content } = this.#options
    for await (const { key, updated } of content.ingests()) if (updated.getTime() < limitMs) await content.abort(key)
  }

  async #remove(chain: readonly Digest[], blobs: ReadonlySet<Digest>): Promise<CollectedGarbage> {
    const { content, leases, logger } = this.#options
    const removedSnapshots: Digest[] = []
    const removedBlobs: Digest[] = []
    let freedBytes = 0
    let isPostponed = false
    const used = this.#usedChains()
    for (const chainId of chain) {
      if (used.has(chainId) || leases.holds({ kind: 'snapshot', key: chainId })) continue
      const result = await this.#removeSnapshot(chainId)
      if (result === 'inUse') isPostponed = true
      if (typeof result !== 'number') continue
      removedSnapshots.push(chainId)
      freedBytes += result
    }
    for (const digest of blobs) {
      if (leases.holds({ kind: 'blob', key: digest })) continue
      await content.delete(digest)
      removedBlobs.push(digest)
    }
    logger.debug('garbage collected', { snapshots: removedSnapshots.length, blobs: removedBlobs.length })
    return { snapshots: removedSnapshots, blobs: removedBlobs, freedBytes, isPostponed }
  }

  /** Gives the size of what it removed. */
  async #removeSnapshot(chainId: Digest): Promise<number | 'inUse' | 'notRemoved'> {
    const { snapshots, logger } = this.#options
    try {
      const { sizeBytes } = await snapshots.usage(chainId)
      await snapshots.remove(chainId)
      return sizeBytes
    } catch (error) {
      if (isKind(error, 'conflict')) return 'inUse'
      if (!isKind(error, 'notFound')) {
        logger.warn('cannot remove unused layer', { chainId, error: messageOf(error) })
      }
      return 'notRemoved'
    }
  }

  #usedChains(): ReadonlySet<Digest> {
    const used = new Set<Digest>()
    for (const { layers } of this.#options.store.records()) for (const { chainId } of layers) used.add(chainId)
    return used
  }

  #usedBlobs(): ReadonlySet<Digest> {
    const { store } = this.#options
    const used = new Set<Digest>()
    for (const record of store.records()) {
      for (const digest of blobsOf(record)) used.add(digest)
      for (const { target } of store.namesOf(record.id)) used.add(target.digest)
    }
    return used
  }
}

function blobsOf(record: ImageRecord): Digest[] {
  return [record.id, record.manifest.digest, ...record.layers.map((layer) => layer.blob.digest)]
}
