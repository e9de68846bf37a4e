/** Docker's verbs for images: the face of this folder. */
import type { Readable } from 'node:stream'
import type {
  Filters,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
  ImagesPruneResponse,
} from '../api/index.ts'
import { Background, type Logger } from '../base/index.ts'
import type { Leases, LocalContentStore } from '../content/index.ts'
import type {
  ImportRequest,
  ListImagesOptions,
  LoadOptions,
  ProgressOptions,
  PullOptions,
  RemoveImageOptions,
  SavedArchive,
} from '../contract/index.ts'
import type { EventBus } from '../events/index.ts'
import {
  type Digest,
  familiarName,
  familiarReference,
  type Platform,
  parsePlatform,
  parseReference,
} from '../oci/index.ts'
import { RegistryClient, type RegistryClientOptions } from '../registry/client/index.ts'
import type { Snapshotter } from '../snapshots/index.ts'
import type { Database } from '../store/index.ts'
import { loadImages } from './archive/load-images.ts'
import { saveImages } from './archive/save-images.ts'
import { imageHistory, inspectImage } from './catalog/describe-image.ts'
import { type ImageDiskUsage, imageDiskUsage } from './catalog/disk-usage.ts'
import type { ImageUse } from './catalog/image.ts'
import { nameFrom } from './catalog/image-name.ts'
import { ImageStore } from './catalog/image-store.ts'
import { listImages } from './catalog/list-images.ts'
import { manifestSummaries } from './catalog/manifest-summary.ts'
import { ActivityGate } from './gc/activity-gate.ts'
import { ImageGarbage } from './gc/collect-garbage.ts'
import { Holds } from './gc/holds.ts'
import { ImageRemovals } from './gc/image-removals.ts'
import { LayerPool } from './layers/layer-pool.ts'
import { LayerStack } from './layers/layer-stack.ts'
import { isEmbedded, pullEmbedded } from './make/embedded-images.ts'
import { importImage } from './make/import-image.ts'
import { type PullDependencies, type Pulled, type PullRequest, pullImages } from './registry/pull-image.ts'
import { registryAuthOf } from './registry/registry-auth.ts'

export interface ImagesOptions {
  readonly db: Database
  readonly content: LocalContentStore
  /** Where `content` is: workers open it themselves. */
  readonly contentRoot: string
  readonly snapshots: Snapshotter
  readonly leases: Leases
  readonly events: EventBus
  readonly use: ImageUse
  readonly logger: Logger
  readonly registries?: RegistryClientOptions
  readonly maxConcurrentDownloads?: number
}

/** A pull, as the API or the builder asks for it. */
export interface ImagePullOptions extends PullOptions {
  /** For another platform than this host's: names of images that run here stay with them. */
  readonly isBeside?: boolean
  /** Called for each image that was pulled. */
  readonly onPulled?: (id: Digest) => void
}

/** What images are made with. Whoever makes one does it inside `gate.make`. */
export interface ImageParts extends PullDependencies {
  readonly pool: LayerPool
  readonly gate: ActivityGate
  readonly garbage: ImageGarbage
}

const defaultDownloads = 3

/** Images, by Docker's verbs. `store` finds them, `garbage` removes what none of them needs. */
export class Images {
  readonly #options: ImagesOptions
  readonly #parts: ImageParts
  readonly #background: Background
  readonly #removals: ImageRemovals

  private constructor(options: ImagesOptions, parts: ImageParts) {
    this.#options = options
    this.#parts = parts
    this.#background = new Background(options.logger)
    const { use, events } = options
    this.#removals = new ImageRemovals({ ...parts, use, events, background: this.#background })
  }

  /** Reads all records and removes what an earlier run left half done. */
  static async open(options: ImagesOptions): Promise<Images> {
    const { db, content, contentRoot, snapshots, leases, logger } = options
    const store = ImageStore.open(db, logger)
    const pool = new LayerPool({ size: options.maxConcurrentDownloads ?? defaultDownloads })
    const registries = new RegistryClient({ ...options.registries, logger })
    const transport = () => registries.transportOptions
    const layers = await LayerStack.open({ content, contentRoot, snapshots, pool, transport })
    const gate = new ActivityGate()
    const garbage = new ImageGarbage({ store, content, snapshots, leases, gate, logger })
    await garbage.dropBrokenStreams()
    return new Images(options, { store, content, leases, layers, registries, pool, gate, garbage })
  }

  /** Finds images by name and id. */
  get store(): ImageStore {
    return this.#parts.store
  }

  /** Removes unused blobs and layers; run once after boot. */
  get garbage(): ImageGarbage {
    return this.#parts.garbage
  }

  /** For others who make images: commit, build, the embedded ones. */
  get parts(): ImageParts {
    return this.#parts
  }

  /** Pulls one tag or digest, or all tags when the reference has neither. An embedded image comes from the engine. */
  async pull(text: string, options: ImagePullOptions = {}): Promise<void> {
    const { platform, auth, onProgress, signal, isBeside = false, onPulled: tell } = options
    const reference = parseReference(text)
    if (!isBeside && isEmbedded(reference)) return await pullEmbedded(this.#parts, options)
    const request: PullRequest = {
      onProgress,
      signal,
      platform: wantedPlatform(platform),
      auth: auth === undefined ? undefined : registryAuthOf(auth),
      isBeside,
    }
    const onPulled = (pulled: Pulled) => {
      this.#publishPull(pulled)
      tell?.(pulled.id)
    }
    await this.#parts.gate.make(() => pullImages(this.#parts, reference, request, onPulled))
  }

  /** Loads the images of an archive. */
  async load(source: Readable, options: LoadOptions = {}): Promise<void> {
    const { onProgress, signal, quiet = false, platform } = options
    const ids = await this.#withHolds((holds) =>
      loadImages(this.#parts, source, holds, { onProgress, signal, quiet, platform: wantedPlatform(platform) }),
    )
    for (const id of ids) this.#publish('load', id, id)
  }

  /** An archive of these images. It is the caller's to dispose of. */
  async save(
    names: readonly string[],
    { platform }: { readonly platform?: string | undefined },
  ): Promise<SavedArchive> {
    const archive = await saveImages(this.#parts, names, { platform: wantedPlatform(platform) })
    for (const id of archive.ids) this.#publish('save', id, id)
    return archive
  }

  /** Makes an image of a tar stream. */
  async import(request: ImportRequest, { onProgress, signal }: ProgressOptions = {}): Promise<void> {
    const { source, reference, message, changes, platform } = request
    const name = reference === '' ? undefined : nameFrom(reference)
    const settings = { reference: name, message, changes, platform: wantedPlatform(platform), signal, onProgress }
    const id = await this.#withHolds((holds) => importImage(this.#parts, source, holds, settings))
    onProgress?.({ status: id })
    this.#publish('import', id, id)
  }

  async list(options: ListImagesOptions): Promise<readonly ImageSummary[]> {
    return listImages(this.#parts.store, this.#options.use, options)
  }

  async inspect(
    name: string,
    { manifests = false, platform }: { readonly manifests?: boolean; readonly platform?: string | undefined } = {},
  ): Promise<ImageInspect> {
    const { use, snapshots } = this.#options
    const { store } = this.#parts
    const image = store.resolve(name, { platform: wantedPlatform(platform) })
    return inspectImage(image, {
      directory: (chainId) => snapshots.directory(chainId),
      ...(manifests ? { manifests: manifestSummaries(store, image, use) } : {}),
    })
  }

  async history(
    name: string,
    { platform }: { readonly platform?: string | undefined } = {},
  ): Promise<readonly ImageHistoryItem[]> {
    const image = this.#parts.store.resolve(name, { platform: wantedPlatform(platform) })
    return imageHistory(image, (id) => this.#parts.store.find(id))
  }

  /** What images take of the disk. */
  async diskUsage(): Promise<ImageDiskUsage> {
    return await imageDiskUsage({ ...this.#options, store: this.#parts.store })
  }

  /** Gives an image one more name. */
  async tag(name: string, repository: string, tag: string): Promise<void> {
    const image = this.#parts.store.resolve(name)
    const reference = nameFrom(repository, tag)
    // A name for an index gives the index on, so that a push of the new name may send it whole.
    this.#parts.store.name(reference, image.id, this.#parts.store.findTarget(name) ?? image.manifest)
    this.#publish('tag', image.id, familiarReference(reference))
  }

  /** Removes a name, or an image with the last of them. */
  async remove(
    name: string,
    { force, prune, platforms = [] }: RemoveImageOptions,
  ): Promise<readonly ImageDeleteItem[]> {
    return await this.#removals.remove(name, { force, prune, platforms: platforms.map(parsePlatform) })
  }

  /** Removes images that have no name (or, with `dangling=false`, no container). */
  async prune(filters: Filters): Promise<ImagesPruneResponse> {
    return await this.#removals.prune(filters)
  }

  /** Takes over changed settings. */
  configure({
    registries,
    maxConcurrentDownloads,
  }: Pick<ImagesOptions, 'registries' | 'maxConcurrentDownloads'>): void {
    this.#parts.registries.configure(registries ?? {})
    this.#parts.pool.resize(maxConcurrentDownloads ?? defaultDownloads)
  }

  /** Ends the workers and waits for what runs behind. */
  async close(): Promise<void> {
    this.#removals.close()
    await this.#background.drain()
    await this.#parts.pool.close()
    this.#parts.registries.close()
  }

  #publishPull({ reference, id }: Pulled): void {
    this.#options.events.publish('image', 'pull', familiarReference(reference), {
      ...this.#labels(id),
      name: familiarName(reference),
    })
  }

  /** Runs work that makes images; what it made and no image needs goes right after it, above all when it fails. */
  async #withHolds<T>(work: (holds: Holds) => Promise<T>): Promise<T> {
    const { leases, gate, garbage } = this.#parts
    const holds = new Holds(leases)
    try {
      return await gate.make(() => work(holds))
    } finally {
      holds[Symbol.dispose]()
      await garbage.discard(holds.blobs, holds.chainIds)
    }
  }

  #publish(action: string, id: Digest, name: string): void {
    this.#options.events.publish('image', action, id, { ...this.#labels(id), name })
  }

  #labels(id: Digest): Readonly<Record<string, string>> {
    return this.#parts.store.findRecord(id)?.config.config?.Labels ?? {}
  }
}

function wantedPlatform(text: string | undefined): Platform | undefined {
  return text === undefined || text === '' ? undefined : parsePlatform(text)
}
