/** Brings the layers of an image onto the disk: blob in the content store, files in a committed snapshot
 *  named by the chain id. Layers are unpacked side by side into directories of their own, for what is in
 *  one does not depend on those below, and become snapshots from the lowest up.
 *  Two callers that want the same layer at once share one download. */
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type AbortOptions, BerthError, isKind, KeyedMutex, newId } from '../base/index.ts'
import type { LocalContentStore } from '../content/index.ts'
import type { Descriptor, Digest } from '../oci/index.ts'
import type { BlobRequest, HttpTransportOptions } from '../registry/client/index.ts'
import type { Snapshotter } from '../snapshots/index.ts'
import type { LayerResult, UnpackedLayer } from './layer-job.ts'
import type { LayerPool } from './layer-pool.ts'
import { LayerProgress, type OnProgress } from './progress.ts'

export interface LayerStackOptions {
  readonly content: LocalContentStore
  readonly contentRoot: string
  readonly snapshots: Snapshotter
  readonly pool: LayerPool
  /** On the same filesystem as the snapshots; emptied at every start. */
  readonly stagingRoot: string
  readonly transport: HttpTransportOptions
}

/** A layer that an image wants. */
export interface WantedLayer {
  readonly blob: Descriptor
  readonly diffId: Digest
  readonly chainId: Digest
  readonly parent: Digest | undefined
}

export interface ObtainOptions extends AbortOptions {
  readonly authorize: (refused: boolean) => Promise<BlobRequest>
  readonly onProgress: OnProgress
}

export interface ObtainedLayer {
  readonly sizeBytes: number
  readonly wasFetched: boolean
}

interface SharedLayer {
  readonly progress: LayerProgress
  readonly abort: AbortController
  readonly result: Promise<ObtainedLayer>
  users: number
}

/** The layers on this disk. */
export class LayerStack {
  readonly #options: LayerStackOptions
  readonly #shared = new Map<string, SharedLayer>()
  readonly #blobs = new KeyedMutex()

  private constructor(options: LayerStackOptions) {
    this.#options = options
  }

  /** Removes what an earlier run left half unpacked. */
  static async open(options: LayerStackOptions): Promise<LayerStack> {
    await rm(options.stagingRoot, { recursive: true, force: true })
    await mkdir(options.stagingRoot, { recursive: true, mode: 0o700 })
    return new LayerStack(options)
  }

  /** Gets one layer from a registry unless it is here. `below` ends when the layer below is committed. */
  async obtain(layer: WantedLayer, below: Promise<unknown>, options: ObtainOptions): Promise<ObtainedLayer> {
    const shared = this.#share(layer, below, options)
    const unwatch = shared.progress.watch(options.onProgress)
    shared.users += 1
    const { signal } = options
    const { promise: left, reject } = Promise.withResolvers<never>()
    const onAbort = () => reject(new BerthError('cancelled', 'context canceled'))
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([shared.result, left])
    } finally {
      signal?.removeEventListener('abort', onAbort)
      unwatch()
      shared.users -= 1
      if (shared.users === 0) shared.abort.abort()
    }
  }

  /** A new empty directory to unpack a layer into. */
  async stage(): Promise<string> {
    const directory = join(this.#options.stagingRoot, newId().slice(0, 16))
    await mkdir(directory, { mode: 0o755 })
    return directory
  }

  /** Drops an unpacked layer that is not wanted. */
  async unstage(directory: string): Promise<void> {
    await rm(directory, { recursive: true, force: true })
  }

  /** Makes an unpacked directory the snapshot of its chain id; no error when there is one already. */
  async commit(directory: string, chainId: Digest, parent: Digest | undefined): Promise<void> {
    const { snapshots } = this.#options
    const key = `unpack ${newId().slice(0, 16)}`
    if (await this.has(chainId)) return await this.unstage(directory)
    await snapshots.prepare(key, parent)
    try {
      // rename(2) replaces the empty directory that the snapshotter made.
      await rename(directory, snapshots.directory(key))
      await snapshots.commit(chainId, key)
    } catch (error) {
      await snapshots.remove(key)
      if (!isKind(error, 'alreadyExists')) throw error
    }
  }

  /** True when the stack up to this layer is unpacked. */
  async has(chainId: Digest): Promise<boolean> {
    try {
      await this.#options.snapshots.stat(chainId)
      return true
    } catch (error) {
      if (isKind(error, 'notFound')) return false
      throw error
    }
  }

  /** Bytes of an unpacked layer's files. */
  async sizeOf(chainId: Digest): Promise<number> {
    return (await this.#options.snapshots.usage(chainId)).sizeBytes
  }

  #share(layer: WantedLayer, below: Promise<unknown>, options: ObtainOptions): SharedLayer {
    const key = `${layer.blob.digest} ${layer.chainId}`
    const known = this.#shared.get(key)
    if (known !== undefined && !known.abort.signal.aborted) return known
    const progress = new LayerProgress(layer.blob.digest.slice(7, 19))
    const abort = new AbortController()
    progress.status('Pulling fs layer')
    const result = this.#blobs
      .run(layer.blob.digest, () => this.#fetch(layer, below, progress, options.authorize, abort.signal))
      .finally(() => {
        if (this.#shared.get(key) === shared) this.#shared.delete(key)
      })
    result.catch(() => {}) // Every user hears of it; there may be none left.
    const shared: SharedLayer = { progress, abort, result, users: 0 }
    this.#shared.set(key, shared)
    return shared
  }

  async #fetch(
    layer: WantedLayer,
    below: Promise<unknown>,
    progress: LayerProgress,
    authorize: ObtainOptions['authorize'],
    signal: AbortSignal,
  ): Promise<ObtainedLayer> {
    const { blob, chainId, parent } = layer
    const isStored = (await this.#options.content.find(blob.digest)) !== undefined
    const isUnpacked = await this.has(chainId)
    if (isStored && isUnpacked) {
      progress.status('Already exists')
      return { sizeBytes: await this.sizeOf(chainId), wasFetched: false }
    }
    const targetDir = isUnpacked ? undefined : await this.stage()
    try {
      const result = await this.#run(layer, isStored, targetDir, progress, authorize, signal)
      if (targetDir !== undefined) {
        checkDiffId(result.unpacked, layer)
        await below
        signal.throwIfAborted()
        await this.commit(targetDir, chainId, parent)
      }
      progress.status('Pull complete')
      return { sizeBytes: result.unpacked?.sizeBytes ?? (await this.sizeOf(chainId)), wasFetched: true }
    } catch (error) {
      if (targetDir !== undefined) await this.unstage(targetDir)
      throw error
    }
  }

  async #run(
    { blob }: WantedLayer,
    isStored: boolean,
    targetDir: string | undefined,
    progress: LayerProgress,
    authorize: ObtainOptions['authorize'],
    signal: AbortSignal,
  ): Promise<LayerResult> {
    const { content, contentRoot, pool, transport } = this.#options
    const { digest, size: sizeBytes } = blob
    const source = isStored
      ? ({ from: 'file', path: content.pathOf(digest), sizeBytes } as const)
      : ({ from: 'registry', contentRoot, digest, sizeBytes, transport } as const)
    let hasStarted = false
    setImmediate(() => {
      if (!hasStarted && !signal.aborted) progress.status('Waiting')
    })
    return await pool.run(
      { source, ...(targetDir === undefined ? {} : { targetDir }) },
      {
        authorize,
        signal,
        onStart() {
          hasStarted = true
        },
        onProgress({ phase, current, total }) {
          if (phase === 'download') progress.amount('Downloading', current, total)
          else if (phase === 'extract') progress.amount('Extracting', current, total)
          else {
            progress.status('Verifying Checksum')
            progress.status('Download complete')
          }
        },
      },
    )
  }
}

/** Throws when the files are not those that the image's config promises. */
export function checkDiffId(unpacked: UnpackedLayer | undefined, { blob, diffId }: WantedLayer): void {
  if (unpacked?.diffId === diffId) return
  throw new BerthError('dataLoss', `layers from manifest don't match image configuration: ${blob.digest}`, {
    details: { expected: diffId, found: unpacked?.diffId },
  })
}
