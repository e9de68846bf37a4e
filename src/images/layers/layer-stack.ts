/** Stores the layers of an image: the blob in the content store, the files in a committed snapshot with the chain ID as
 *  its name. A layer's files don't depend on those below, so layers are unpacked side by side into their own
 *  directories, and become snapshots from the lowest up.
 *  If two callers want the same layer at the same time, they share one download. */
import { type AbortOptions, BerthError, isKind, KeyedMutex, newId } from '../../base/index.ts'
import type { LocalContentStore } from '../../content/index.ts'
import type { OnProgress } from '../../contract/index.ts'
import { type Descriptor, type Digest, hexOf } from '../../oci/index.ts'
import type { BlobAuthorizer, HttpTransportOptions } from '../../registry/client/index.ts'
import type { Snapshotter } from '../../snapshots/index.ts'
import { LayerProgress } from '../catalog/progress.ts'
import type { LayerJobProgress, LayerResult, LayerSource, UnpackedLayer } from './layer-job.ts'
import type { LayerPool } from './layer-pool.ts'

/** Where layers are stored. */
export interface LayerStackOptions {
  readonly content: LocalContentStore
  readonly contentRoot: string
  readonly snapshots: Snapshotter
  readonly pool: LayerPool
  /** Called for each layer, because the settings may change. */
  readonly transport: () => HttpTransportOptions
}

/** A layer that an image needs. */
export interface WantedLayer {
  readonly blob: Descriptor
  readonly diffId: Digest
  readonly chainId: Digest
  readonly parent: Digest | undefined
}

/** The registries that have a layer's blob. */
export interface LayerOrigin {
  readonly authorize: BlobAuthorizer
  /** Switches to another registry after wrong bytes; false when there is none. */
  distrust(): boolean
}

/** How to get a layer. */
export interface ObtainOptions extends AbortOptions {
  readonly origin: LayerOrigin
  /** The result of `isHere`. */
  readonly isHere: boolean
  readonly onProgress: OnProgress
}

/** A layer that is stored and unpacked. */
export interface ObtainedLayer {
  readonly sizeBytes: number
}

/** A layer that is being unpacked into a snapshot. */
export interface StagedLayer {
  readonly key: string
  readonly directory: string
}

interface SharedLayer {
  readonly chainId: Digest
  readonly progress: LayerProgress
  readonly abort: AbortController
  readonly result: Promise<ObtainedLayer>
  users: number
}

/** Prefix of the keys of layers that are being unpacked. A snapshot with such a key at boot was left by a crash. */
const stagePrefix = 'unpack-layer-'

/** The layers on the disk. */
export class LayerStack {
  readonly #options: LayerStackOptions
  readonly #shared = new Map<string, SharedLayer>()
  readonly #blobs = new KeyedMutex()

  private constructor(options: LayerStackOptions) {
    this.#options = options
  }

  /** Opens the layers and removes those that an earlier run left half unpacked. */
  static async open(options: LayerStackOptions): Promise<LayerStack> {
    const { snapshots } = options
    for await (const { key, kind } of snapshots.walk()) {
      if (kind === 'active' && key.startsWith(stagePrefix)) await snapshots.remove(key)
    }
    return new LayerStack(options)
  }

  /** True when the layer's blob, its files and those of all layers below are stored. */
  async isHere({ blob, chainId }: WantedLayer): Promise<boolean> {
    return (await this.#options.content.find(blob.digest)) !== undefined && (await this.has(chainId))
  }

  /** Gets one layer from a registry, unless it is stored. The layer below must be stored or requested before. Throws
   *  `dataLoss` for bytes that don't match the digest, `cancelled` when the signal fires, and the errors of the
   *  registry. */
  async obtain(layer: WantedLayer, options: ObtainOptions): Promise<ObtainedLayer> {
    if (options.signal?.aborted === true) throw cancelled()
    if (options.isHere) {
      options.onProgress({ status: 'Already exists', progressDetail: {}, id: shortDigest(layer.blob.digest) })
      return { sizeBytes: await this.sizeOf(layer.chainId) }
    }
    const shared = this.#share(layer, options)
    const unwatch = shared.progress.watch(options.onProgress)
    shared.users += 1
    const { signal } = options
    const { promise: left, reject } = Promise.withResolvers<never>()
    const onAbort = () => reject(cancelled())
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

  /** Makes an empty snapshot to unpack a layer into; its parent is set by `commit`. */
  async stage(): Promise<StagedLayer> {
    const key = stagePrefix + newId().slice(0, 16)
    await this.#options.snapshots.prepare(key)
    return { key, directory: this.#options.snapshots.directory(key) }
  }

  /** Drops an unpacked layer. */
  async unstage({ key }: StagedLayer): Promise<void> {
    await this.#options.snapshots.remove(key)
  }

  /** Makes an unpacked layer the snapshot of its chain ID. If that snapshot exists, the unpacked layer is dropped. */
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

  /** True when this layer and all below are unpacked. */
  async has(chainId: Digest): Promise<boolean> {
    return (await this.#options.snapshots.find(chainId)) !== undefined
  }

  /** Size in bytes of an unpacked layer's files. */
  async sizeOf(chainId: Digest): Promise<number> {
    const { snapshots } = this.#options
    return (await snapshots.find(chainId))?.sizeBytes ?? (await snapshots.usage(chainId)).sizeBytes
  }

  #share(layer: WantedLayer, { origin }: ObtainOptions): SharedLayer {
    const key = `${layer.blob.digest} ${layer.chainId}`
    const known = this.#shared.get(key)
    if (known !== undefined && !known.abort.signal.aborted) return known
    const progress = new LayerProgress(shortDigest(layer.blob.digest))
    const abort = new AbortController()
    progress.status('Pulling fs layer')
    const result = this.#blobs
      .run(layer.blob.digest, () => this.#fetch(layer, progress, origin, abort.signal))
      .finally(() => {
        if (this.#shared.get(key) === shared) this.#shared.delete(key)
      })
    result.catch(() => {}) // Every user gets the error; there may be none left.
    const shared: SharedLayer = { chainId: layer.chainId, progress, abort, result, users: 0 }
    this.#shared.set(key, shared)
    return shared
  }

  /** Fetches a layer. If the bytes were wrong, and a leftover of an earlier try or a mirror may be the cause, fetches
   *  once more from the first byte. */
  async #fetch(
    layer: WantedLayer,
    progress: LayerProgress,
    origin: LayerOrigin,
    signal: AbortSignal,
  ): Promise<ObtainedLayer> {
    for (;;) {
      try {
        return await this.#fetchOnce(layer, progress, origin, signal)
      } catch (error) {
        if (signal.aborted || !isKind(error, 'dataLoss')) throw error
        if (error.details.resumed !== true && !origin.distrust()) throw error
      }
    }
  }

  async #fetchOnce(
    layer: WantedLayer,
    progress: LayerProgress,
    { authorize }: LayerOrigin,
    signal: AbortSignal,
  ): Promise<ObtainedLayer> {
    const { blob, chainId, parent } = layer
    const isStored = (await this.#options.content.find(blob.digest)) !== undefined
    const isUnpacked = await this.has(chainId)
    if (isStored && isUnpacked) {
      progress.status('Already exists')
      return { sizeBytes: await this.sizeOf(chainId) }
    }
    const staged = isUnpacked ? undefined : await this.stage()
    try {
      const { unpacked } = isStored
        ? await this.#unpackStored(layer, staged?.directory, progress, signal)
        : await this.#download(layer, staged?.directory, progress, authorize, signal)
      if (staged !== undefined) {
        const files = checkDiffId(unpacked, layer)
        await this.#below(parent)
        if (signal.aborted) throw cancelled()
        await this.commit(staged, { chainId, parent }, files)
      }
      progress.status('Pull complete')
      return { sizeBytes: await this.sizeOf(chainId) }
    } catch (error) {
      if (staged !== undefined) await this.unstage(staged)
      throw error
    }
  }

  /** Waits until the layer below is committed, by any pull: the pull that asked for this layer first may have been
   *  canceled. */
  async #below(parent: Digest | undefined): Promise<void> {
    while (parent !== undefined) {
      const maker = [...this.#shared.values()].find((one) => one.chainId === parent && !one.abort.signal.aborted)
      if (await this.has(parent)) return
      if (maker === undefined) throw cancelled()
      await maker.result
    }
  }

  /** Unpacks a stored blob. If a power cut damaged it, deletes it, so that it is fetched again. */
  async #unpackStored(
    { blob }: WantedLayer,
    targetDir: string | undefined,
    progress: LayerProgress,
    signal: AbortSignal,
  ): Promise<LayerResult> {
    const { content } = this.#options
    const { digest, size: sizeBytes } = blob
    const source = { from: 'file', path: content.pathOf(digest), sizeBytes, expected: digest } as const
    try {
      return await this.#run(source, targetDir, progress, undefined, signal)
    } catch (error) {
      if (!isKind(error, 'dataLoss')) throw error
      await content.delete(digest)
      throw new BerthError(error.kind, error.message, { cause: error, details: { ...error.details, resumed: true } })
    }
  }

  async #download(
    { blob }: WantedLayer,
    targetDir: string | undefined,
    progress: LayerProgress,
    authorize: BlobAuthorizer,
    signal: AbortSignal,
  ): Promise<LayerResult> {
    const { contentRoot, transport } = this.#options
    const { digest, size: sizeBytes } = blob
    const source = { from: 'registry', contentRoot, digest, sizeBytes, transport: transport() } as const
    return await this.#run(source, targetDir, progress, authorize, signal)
  }

  async #run(
    source: LayerSource,
    targetDir: string | undefined,
    progress: LayerProgress,
    authorize: BlobAuthorizer | undefined,
    signal: AbortSignal,
  ): Promise<LayerResult> {
    let hasStarted = false
    setImmediate(() => {
      if (!hasStarted && !signal.aborted) progress.status('Waiting')
    })
    return await this.#options.pool.run(
      { source, ...(targetDir === undefined ? {} : { targetDir }) },
      {
        ...(authorize === undefined ? {} : { authorize }),
        signal,
        onStart() {
          hasStarted = true
        },
        onProgress: (step) => tell(progress, step),
      },
    )
  }
}

function tell(progress: LayerProgress, { phase, current, total }: LayerJobProgress): void {
  if (phase === 'download') progress.amount('Downloading', current, total)
  else if (phase === 'extract') progress.amount('Extracting', current, total)
  else if (phase === 'retry') {
    const seconds = Math.ceil(current / 1000)
    progress.status(`Retrying in ${seconds} second${seconds === 1 ? '' : 's'}`)
  } else {
    progress.status('Verifying Checksum')
    progress.status('Download complete')
  }
}

function shortDigest(digest: Digest): string {
  return hexOf(digest).slice(0, 12)
}

function cancelled(): BerthError {
  return new BerthError('cancelled', 'context canceled')
}

/** Throws when the unpacked files don't match the diff ID in the image's config. */
function checkDiffId(unpacked: UnpackedLayer | undefined, { blob, diffId }: WantedLayer): UnpackedLayer {
  if (unpacked?.diffId === diffId) return unpacked
  throw new BerthError('dataLoss', `layers from manifest don't match image configuration: ${blob.digest}`, {
    details: { expected: diffId, found: unpacked?.diffId },
  })
}
