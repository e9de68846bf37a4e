/** The entry to this folder: Docker's verbs for images, and handles for finding, listing and removing them. */
import type { Readable } from 'node:stream'
import { Background, type Logger } from '../base/index.ts'
import type { Leases, LocalContentStore } from '../content/index.ts'
import type { ImportRequest, ProgressOptions, PullOptions, SavedArchive } from '../contract/index.ts'
import type { EventBus } from '../events/index.ts'
import { type Digest, familiarName, familiarReference, parseReference } from '../oci/index.ts'
import { RegistryClient, type RegistryClientOptions } from '../registry/client/index.ts'
import type { Snapshotter } from '../snapshots/index.ts'
import type { Database } from '../store/index.ts'
import { loadImages } from './archive/load-images.ts'
import { saveImages } from './archive/save-images.ts'
import type { ImageUse } from './catalog/image.ts'
import { ImageCatalog } from './catalog/image-catalog.ts'
import { nameFrom, wantedPlatform } from './catalog/image-name.ts'
import { ImageStore, noSuchImage } from './catalog/image-store.ts'
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

/** What images are stored in and where they come from. */
export interface ImagesOptions {
  readonly db: Database
  readonly content: LocalContentStore
  /** Directory of `content`, which worker threads open themselves. */
  readonly contentRoot: string
  readonly snapshots: Snapshotter
  readonly leases: Leases
  readonly events: EventBus
  readonly use: ImageUse
  readonly logger: Logger
  readonly registries?: RegistryClientOptions
  readonly maxConcurrentDownloads?: number
}

/** How the API or the builder pulls. */
export interface ImagePullOptions extends PullOptions {
  /** The pull is for a build of another platform: a name that stands for an image of this host's platform stays with
   *  that image. */
  readonly isBeside?: boolean
  /** Called with the id of each pulled image. */
  readonly onPulled?: (id: Digest) => void
}

/** What is needed to make images. All code that makes one runs inside `gate.make`, which keeps garbage collection away
 *  from it. */
export interface ImageParts extends PullDependencies {
  readonly pool: LayerPool
  readonly gate: ActivityGate
  readonly garbage: ImageGarbage
}

const defaultDownloads = 3

/** Gets images from registries, archives and tar streams, and names them. */
export class Images {
  /** For code elsewhere that makes images: commit, build, the built-in ones. */
  readonly parts: ImageParts
  /** Finds images by name and id. */
  readonly store: ImageStore
  /** Removes unused blobs and layers; run once after boot. */
  readonly garbage: ImageGarbage
  /** Lists and describes images. */
  readonly catalog: ImageCatalog
  /** Removes names and images. */
  readonly removals: ImageRemovals
  readonly #events: EventBus
  readonly #background: Background

  private constructor(options: ImagesOptions, parts: ImageParts) {
    const { content, snapshots, use, events, logger } = options
    this.parts = parts
    this.store = parts.store
    this.garbage = parts.garbage
    this.#events = events
    this.#background = new Background(logger)
    this.catalog = new ImageCatalog({ store: parts.store, content, snapshots, use })
    this.removals = new ImageRemovals({ ...parts, use, events, background: this.#background })
  }

  /** Reads all records and removes what an earlier run left unfinished. */
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

  /** Pulls one tag or digest, or all tags of the repository when `text` has neither. Throws `invalidArgument` for a bad
   *  name, `notFound` for an unknown image, and the errors of the registry. */
  async pull(text: string, options: ImagePullOptions = {}): Promise<void> {
    const { platform, auth, onProgress, signal, isBeside = false, onPulled: tell } = options
    const reference = parseReference(text)
    if (!isBeside && isEmbedded(reference)) return await pullEmbedded(this.parts, options)
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
    await this.parts.gate.make(() => pullImages(this.parts, reference, request, onPulled))
  }

  /** Loads the images of an archive that `docker save` or an OCI tool made. Throws `invalidArgument` for a bad
   *  archive. */
  async load(
    source: Readable,
    options: ProgressOptions & { readonly quiet?: boolean; readonly platform?: string | undefined } = {},
  ): Promise<void> {
    const { onProgress, signal, quiet = false, platform } = options
    const ids = await this.#withHolds((holds) =>
      loadImages(this.parts, source, holds, { onProgress, signal, quiet, platform: wantedPlatform(platform) }),
    )
    for (const id of ids) this.#publish('load', id, id)
  }

  /** Makes an archive of these images, to be sent; the caller disposes of it. Throws `notFound` for an unknown name. */
  async save(
    names: readonly string[],
    { platform }: { readonly platform?: string | undefined },
  ): Promise<SavedArchive> {
    const archive = await saveImages(this.parts, names, { platform: wantedPlatform(platform) })
    for (const id of archive.ids) this.#publish('save', id, id)
    return archive
  }

  /** Makes an image of a tar stream. Throws `invalidArgument` for a bad stream, name or change. */
  async import(request: ImportRequest, { onProgress, signal }: ProgressOptions = {}): Promise<void> {
    const { source, reference, message, changes, platform } = request
    const name = reference === '' ? undefined : nameFrom(reference)
    const settings = { reference: name, message, changes, platform: wantedPlatform(platform), signal, onProgress }
    const id = await this.#withHolds((holds) => importImage(this.parts, source, holds, settings))
    onProgress?.({ status: id })
    this.#publish('import', id, id)
  }

  /** Gives an image one more name: `repository` and `tag` (empty for `latest`). If another image has that name, it
   *  loses it. Throws `notFound` for an unknown image, and `invalidArgument` for a name that Docker refuses. */
  async tag(name: string, repository: string, tag: string): Promise<void> {
    const { store } = this
    const { id, manifest } = store.resolve(name)
    const reference = nameFrom(repository, tag)
    const record = store.findRecord(id)
    if (record === undefined) throw noSuchImage(name)
    // If the old name stands for an index, so does the new one: a push of it can send the whole index.
    const target = store.names.lookUp(name)?.target ?? manifest
    store.put({ ...record, lastTagTime: new Date().toISOString() }, [{ reference, target }])
    this.#publish('tag', id, familiarReference(reference))
  }

  /** Applies changed settings: later pulls use them. */
  configure({
    registries,
    maxConcurrentDownloads,
  }: Pick<ImagesOptions, 'registries' | 'maxConcurrentDownloads'>): void {
    this.parts.registries.configure(registries ?? {})
    this.parts.pool.resize(maxConcurrentDownloads ?? defaultDownloads)
  }

  /** Ends the workers and waits for background work. */
  async close(): Promise<void> {
    this.removals.close()
    await this.#background.drain()
    await this.parts.pool.close()
    this.parts.registries.close()
  }

  #publishPull({ reference, id }: Pulled): void {
    this.#events.publish('image', 'pull', familiarReference(reference), {
      ...this.#labels(id),
      name: familiarName(reference),
    })
  }

  /** Runs work that makes images. Afterwards, above all when it failed, removes what the work stored and no image
   *  needs. */
  async #withHolds<T>(work: (holds: Holds) => Promise<T>): Promise<T> {
    const { leases, gate, garbage } = this.parts
    const holds = new Holds(leases)
    try {
      return await gate.make(() => work(holds))
    } finally {
      holds[Symbol.dispose]()
      await garbage.discard(holds.blobs, holds.chainIds)
    }
  }

  #publish(action: string, id: Digest, name: string): void {
    this.#events.publish('image', action, id, { ...this.#labels(id), name })
  }

  #labels(id: Digest): Readonly<Record<string, string>> {
    return this.store.findRecord(id)?.config.config?.Labels ?? {}
  }
}
