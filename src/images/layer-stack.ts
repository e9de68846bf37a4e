/** Brings the layers of an image onto the disk: blob in the content store, files in a committed snapshot
 *  named by the chain id. Layers are unpacked side by side into directories of their own, for what is in
 *  one does not depend on those below, and become snapshots from the lowest up.
 *  Two callers that want the same layer at once share one download. */
import { type AbortOptions, BerthError, isKind, KeyedMutex, newId } from '../base/index.ts'
import type { LocalContentStore } from '../content/index.ts'
import type { Descriptor, Digest } from '../oci/index.ts'
import type { BlobAuthorizer, HttpTransportOptions } from '../registry/client/index.ts'
import type { Snapshotter } from '../snapshots/index.ts'
import type { LayerResult, UnpackedLayer } from './layer-job.ts'
import type { LayerPool } from './layer-pool.ts'
import { LayerProgress, type OnProgress } from './progress.ts'

export interface LayerStackOptions {
  readonly content: LocalContentStore
  readonly contentRoot: string
  readonly snapshots: Snapshotter
  readonly pool: LayerPool
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
  readonly authorize: BlobAuthorizer
  readonly onProgress: OnProgress
}

export interface ObtainedLayer {
  readonly sizeBytes: number
  readonly wasFetched: boolean
}

/** A layer that is being unpacked. */
export interface StagedLayer {
  readonly key: string
  readonly directory: string
}

interface SharedLayer {
  readonly progress: LayerProgress
  readonly abort: AbortController
  readonly result: Promise<ObtainedLayer>
  users: number
}

/** Keys of the snapshots that are being unpacked: what has one at boot was left by a crash. */
const stagePrefix = 'unpack-layer-'

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
    const { snapshots } = options
    for await (const { key, kind } of snapshots.walk()) {
      if (kind === 'active' && key.startsWith(stagePrefix)) await snapshots.remove(key)
    }
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

  /** A new empty snapshot to unpack a layer into; what it stands on is said at its commit. */
  async stage(): Promise<StagedLayer> {
    const key = stagePrefix + newId().slice(0, 16)
    await this.#options.snapshots.prepare(key)
    return { key, directory: this.#options.snapshots.directory(key) }
  }

  /** Drops an unpacked layer that is not wanted. */
  async unstage({ key }: StagedLayer): Promise<void> {
    await this.#options.snapshots.remove(key)
  }

  /** Makes an unpacked layer the snapshot of its chain id; no error when there is one already. */
  async commit(
    staged: StagedLayer,
    { chainId, parent }: Pick<WantedLayer, 'chainId' | 'parent'>,
    { sizeBytes, impliedDirectories }: UnpackedLayer,
  ): Promise<void> {
    try {
      await this.#options.snapshots.commit(chainId, staged.key, { parent, sizeBytes, impliedDirectories })
    } catch (error) {
      await this.unstage(staged)
      if (!isKind(error, 'alreadyExists')) throw error
    }
  }

  /** True when the stack up to this layer is unpacked. */
  async has(chainId: Digest): Promise<boolean> {
    return (await this.#options.snapshots.find(chainId)) !== undefined
  }

  /** Bytes of an unpacked layer's files. */
  async sizeOf(chainId: Digest): Promise<number> {
    const { snapshots } = this.#options
    return (await snapshots.stat(chainId)).sizeBytes ?? (await snapshots.usage(chainId)).sizeBytes
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
    const staged = isUnpacked ? undefined : await this.stage()
    try {
      const { unpacked } = await this.#run(layer, isStored, staged?.directory, progress, authorize, signal)
      if (staged !== undefined) {
        const files = checkDiffId(unpacked, layer)
        await below
        if (signal.aborted) throw new BerthError('cancelled', 'context canceled')
        await this.commit(staged, { chainId, parent }, files)
      }
      progress.status('Pull complete')
      return { sizeBytes: await this.sizeOf(chainId), wasFetched: true }
    } catch (error) {
      if (staged !== undefined) await this.unstage(staged)
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
export function checkDiffId(unpacked: UnpackedLayer | undefined, { blob, diffId }: WantedLayer): UnpackedLayer {
  if (unpacked?.diffId === diffId) return unpacked
  throw new BerthError('dataLoss', `layers from manifest don't match image configuration: ${blob.digest}`, {
    details: { expected: diffId, found: unpacked?.diffId },
  })
}
