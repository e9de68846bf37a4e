/** The images that a build starts from or copies from: found in the store, pulled, or taken from another build or an
 *  OCI layout. */
import type { BuildRequest, NamedBuildContext } from '../../api/index.ts'
import { isKind, notFound, notImplemented, zeroTime } from '../../base/index.ts'
import type { Holds, Image } from '../../images/index.ts'
import {
  type Digest,
  digestOf,
  familiarReference,
  formatPlatform,
  hostPlatform,
  mediaTypes,
  type Platform,
  parseReference,
  platformRank,
  withDefaultTag,
} from '../../oci/index.ts'
import { loadLayoutImage } from '../context/layout-image.ts'
import type { NamedContexts } from '../context/named-contexts.ts'
import type { BuildHost } from '../host/build-host.ts'
import type { BuildParts } from '../model/build-parts.ts'
import type { BuildMaterial, BuiltImage } from '../model/built-image.ts'
import type { Vertexes } from '../model/vertexes.ts'

/** What `BaseImages` works with. */
export interface BaseImagesOptions {
  readonly host: BuildHost
  readonly holds: Holds
  readonly vertexes: Vertexes
  readonly request: Pick<BuildRequest, 'pull'>
  readonly contexts: NamedContexts
}

/** Finds each image once per build, and keeps it from garbage collection while the build runs. */
export class BaseImages {
  readonly #parts: BuildParts
  readonly #host: BuildHost
  readonly #holds: Holds
  readonly #vertexes: Vertexes
  readonly #pull: boolean
  readonly #contexts: NamedContexts
  readonly #found: Map<string, Promise<Image>>
  readonly #options: BaseImagesOptions
  readonly #materials = new Map<string, BuildMaterial>()

  constructor(parts: BuildParts, options: BaseImagesOptions, found = new Map<string, Promise<Image>>()) {
    const { host, holds, vertexes, request, contexts } = options
    this.#parts = parts
    this.#options = options
    this.#found = found
    this.#host = host
    this.#holds = holds
    this.#vertexes = vertexes
    this.#pull = request.pull
    this.#contexts = contexts
  }

  /** The same images for another platform of the build, with a list of materials of its own. */
  view(): BaseImages {
    return new BaseImages(this.#parts, this.#options, this.#found)
  }

  /** The images that this view was asked for. */
  get materials(): readonly BuildMaterial[] {
    return [...this.#materials.values()]
  }

  /** Gives the image with that name. With the request's `pull`, a newer image is looked for in the registry even if the
   *  store has one. The build's holds keep its layers. Throws `notFound`. */
  async get(asked: string, platform: Platform | undefined): Promise<Image> {
    const context = this.#contexts.find(asked)
    const { source } = context ?? {}
    if (source?.kind === 'result') return await this.#useBuilt(asked, source.id, platform)
    const name = source?.kind === 'image' ? source.reference : asked
    const key = `${name} ${platform === undefined ? '' : formatPlatform(platform)}`
    const found =
      this.#found.get(key) ??
      (context?.source.kind === 'layout'
        ? this.#loadLayout(context.name, context.source, platform ?? hostPlatform())
        : this.#load(name, platform))
    this.#found.set(key, found)
    const image = await found
    const uri = context?.source.kind === 'layout' ? context.name : name
    const material = { kind: 'image', uri, digest: image.manifest.digest, platform: image.platform } as const
    this.#materials.set(`${uri} ${material.digest}`, material)
    return image
  }

  /** The commands that a stage runs first when FROM names a context of files: a COPY of them. Empty when FROM names an
   *  image. */
  triggersFor(name: string): readonly string[] {
    return this.#contexts.triggersFor(name)
  }

  async #loadLayout(
    name: string,
    source: Extract<NamedBuildContext, { kind: 'layout' }>,
    platform: Platform,
  ): Promise<Image> {
    const vertex = this.#vertexes.begin(`base ${this.#found.size}`, `[context ${name}] load from OCI layout`)
    try {
      const read = this.#host.readContextFile?.bind(this.#host)
      if (read === undefined) throw notImplemented('an OCI layout of this client')
      const { tag, digest } = source
      const options = { place: { tag, digest }, platform, holds: this.#holds, signal: this.#host.signal }
      const image = await loadLayoutImage(this.#parts, (path) => read(name, path), options)
      vertex.done()
      return image
    } catch (error) {
      vertex.fail(error)
      throw error
    }
  }

  async #useBuilt(name: string, id: string, platform: Platform | undefined): Promise<Image> {
    const built = this.#host.builtContext?.(id) ?? []
    const image = platform === undefined ? built[0] : bestOf(built, platform)
    if (image === undefined) throw notFound(`the build context ${name} is not available for this platform`)
    for (const { blob, chainId } of image.layers) {
      this.#holds.addBlob(blob.digest)
      this.#holds.addLayer(chainId)
      if ((await this.#parts.snapshots.find(chainId)) === undefined)
        throw notFound(`the build context ${name} was removed meanwhile: build it again`)
    }
    return imageOf(image)
  }

  async #load(name: string, platform: Platform | undefined): Promise<Image> {
    const shown = `[internal] load metadata for ${displayName(name)}`
    const vertex = this.#vertexes.begin(`base ${this.#found.size}`, shown)
    try {
      const local = this.#pull ? undefined : this.#find(name, platform)
      const image = local ?? (await this.#pullImage(name, platform, vertex.id))
      for (const { blob, chainId } of image.layers) {
        this.#holds.addBlob(blob.digest)
        this.#holds.addLayer(chainId)
      }
      this.#holds.addBlob(image.id)
      vertex.done()
      return image
    } catch (error) {
      vertex.fail(error)
      throw error
    }
  }

  /** An image here. The beginning of an id is no name of a base image: the mistyped name of a stage would copy from an
   *  image that the Dockerfile never meant. */
  #find(name: string, platform: Platform | undefined): Image | undefined {
    try {
      return this.#parts.images.store.resolve(name, { platform, wholeIds: true })
    } catch (error) {
      if (isKind(error, 'notFound')) return undefined
      throw error
    }
  }

  async #pullImage(name: string, platform: Platform | undefined, vertex: string): Promise<Image> {
    const reference = parseReference(name)
    const id = await this.#parts.pull(familiarReference(withDefaultTag(reference)), {
      platform,
      auth: await this.#host.authOf(reference.registry),
      signal: this.#host.signal,
      onProgress: ({ id, status, progressDetail }) => {
        const { current, total } = progressDetail ?? {}
        if (id === undefined) return
        this.#host.emit({
          type: 'status',
          vertex,
          id,
          ...(status === undefined ? {} : { name: status }),
          ...(current === undefined ? {} : { current }),
          ...(total === undefined ? {} : { total }),
        })
      },
    })
    const { store } = this.#parts.images
    if (id !== undefined) return store.resolve(id)
    try {
      return store.resolve(name, { platform, wholeIds: true })
    } catch (error) {
      // The image is not available for this platform. Take the one there is; the check of base images warns about it.
      if (!isKind(error, 'notFound')) throw error
      return store.resolve(name, { wholeIds: true })
    }
  }
}

function displayName(name: string): string {
  try {
    const { registry, repository, tag, digest } = withDefaultTag(parseReference(name))
    const end = digest === undefined ? `:${tag}` : `@${digest satisfies Digest}`
    return `${registry}/${repository}${end}`
  } catch {
    return name
  }
}

function bestOf(built: readonly BuiltImage[], platform: Platform): BuiltImage | undefined {
  const ranked = built.flatMap((image) => {
    const rank = platformRank(platform, image.platform)
    return rank === undefined ? [] : [{ image, rank }]
  })
  return ranked.sort((a, b) => a.rank - b.rank)[0]?.image
}

/** An image value for a build's result that is not in the store. */
function imageOf({ config, layers, platform }: BuiltImage): Image {
  const bytes = Buffer.from(JSON.stringify(config))
  const id = digestOf(bytes)
  return {
    id,
    references: [],
    digests: [],
    config,
    manifest: { mediaType: mediaTypes.ociManifest, digest: id, size: bytes.length },
    layers,
    chainId: layers.at(-1)?.chainId,
    platform,
    sizeBytes: layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    created: config.created ?? zeroTime,
    parent: undefined,
    isIntermediate: false,
    lastTagTime: '',
  }
}
