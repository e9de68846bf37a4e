/** Docker's verbs for images: the face of this folder. */
import type { Readable } from 'node:stream'
import type { Filters } from '../api/index.ts'
import { Background, type Logger } from '../base/index.ts'
import type { Leases, LocalContentStore } from '../content/index.ts'
import type { ImportRequest, ListImagesOptions, LoadOptions, ProgressOptions, PullOptions, RemoveImageOptions, SavedArchive } from '../contract/index.ts'
import type { EventBus } from '../events/index.ts'
import { type Digest, familiarName, familiarReference, parseReference } from '../oci/index.ts'
import { RegistryClient, type RegistryClientOptions } from '../registry/client/index.ts'
import type { Snapshotter } from '../snapshots/index.ts'
import type { Database } from '../store/index.ts'
import { loadImages } from './archive/load-images.ts'
import { saveImages } from './archive/save-images.ts'
import type { ImageUse } from './catalog/image.ts'
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
import { ImageCatalog } from './catalog/image-catalog.ts'

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
  /** What others need to make images: commit, build, the embedded ones. */
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

  /** Pulls one tag or digest, or all tags when the reference has neither. */
  async pull(text: string, options: PullOptions = {}): Promise<void> {
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
    await this.parts.gate.make(() => pullImages(this.parts, reference, request, onPulled))
  }

  /** Loads the images of an archive. */
  async load(source: Readable, options: LoadOptions = {}): Promise<void> {
    const { onProgress, signal, quiet = false, platform } = options
    const ids = await this.#withHolds((holds) =>
      loadImages(this.parts, source, holds, { onProgress, signal, quiet, platform: wantedPlatform(platform) }),
    )
    for (const id of ids) this.#publish('load', id, id)
  }

  /** An archive of these images. It is the caller's to dispose of. */
  async save(names: readonly string[], { platform }: { readonly platform?: string | undefined }): Promise<SavedImages> {
    const archive = await saveImages(this.parts, names, { platform: wantedPlatform(platform) })
    for (const id of archive.ids) this.#publish('save', id, id)
    return archive
  }

  /** Makes an image of a tar stream. */
  async import(request: ImportRequest, { onProgress, signal }: ProgressOptions = {}): Promise<void> {
    const { source, reference, message, changes, platform } = request
    const name = reference === '' ? undefined : nameFrom(reference)
    const settings = { reference: name, message, changes, platform: wantedPlatform(platform), signal, onProgress }
    const id = await this.#withHolds((holds) => importImage(this.parts, source, holds, settings))
    onProgress?.({ status: id })
    this.#publish('import', id, id)
  }

  /** Gives an image one more name: `repository` and `tag`, or `latest` for an empty tag. The name is taken from the image
   *  that had it. Throws `notFound`, and `invalidArgument` for a name that Docker refuses. */
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

  /** Takes over changed settings. */
  configure({
    registries,
    maxConcurrentDownloads,
  }: Pick<ImagesOptions, 'registries' | 'maxConcurrentDownloads'>): void {
    this.parts.registries.configure(registries ?? {})
    this.parts.pool.resize(maxConcurrentDownloads ?? defaultDownloads)
  }

  /** Ends the workers and waits for what runs behind. */
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

  /** Runs work that makes images; what it made and no image needs goes right after it, above all when it fails. */
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

function fromApiAuth(auth: AuthConfig): NonNullable<PullRequest['auth']> {
  const { username, password, identitytoken, registrytoken } = auth
  return {
    ...(username === undefined || username === '' ? {} : { username }),
    ...(password === undefined || password === '' ? {} : { password }),
    ...(identitytoken === undefined || identitytoken === '' ? {} : { identityToken: identitytoken }),
    ...(registrytoken === undefined || registrytoken === '' ? {} : { registryToken: registrytoken }),
  }
}
