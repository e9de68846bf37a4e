/** Images that a build stands on or copies from: found here, or pulled. */
import type { BuildRequest } from '../api/index.ts'
import { isKind, notImplemented } from '../base/index.ts'
import type { Holds, Image } from '../images/index.ts'
import {
  type Digest,
  familiarReference,
  formatPlatform,
  type Platform,
  parseReference,
  withDefaultTag,
} from '../oci/index.ts'
import type { BuildHost } from './build-host.ts'
import type { BuildParts } from './build-parts.ts'
import type { BuildMaterial } from './built-image.ts'
import type { Vertexes } from './vertexes.ts'

export interface BaseImagesOptions {
  readonly host: BuildHost
  readonly holds: Holds
  readonly vertexes: Vertexes
  readonly request: Pick<BuildRequest, 'pull' | 'namedContexts'>
}

/** Finds each image once in a build. */
export class BaseImages {
  readonly #parts: BuildParts
  readonly #host: BuildHost
  readonly #holds: Holds
  readonly #vertexes: Vertexes
  readonly #pull: boolean
  readonly #contexts: NonNullable<BuildRequest['namedContexts']>
  readonly #found: Map<string, Promise<Image>>
  readonly #options: BaseImagesOptions
  readonly #materials = new Map<string, BuildMaterial>()

  constructor(parts: BuildParts, options: BaseImagesOptions, found = new Map<string, Promise<Image>>()) {
    const { host, holds, vertexes, request } = options
    this.#parts = parts
    this.#options = options
    this.#found = found
    this.#host = host
    this.#holds = holds
    this.#vertexes = vertexes
    this.#pull = request.pull
    this.#contexts = request.namedContexts ?? {}
  }

  /** The same images, for another platform of the build. */
  view(): BaseImages {
    return new BaseImages(this.#parts, this.#options, this.#found)
  }

  /** What was asked for. */
  get materials(): readonly BuildMaterial[] {
    return [...this.#materials.values()]
  }

  /** The image; with `pull` a newer one is looked for even if one is here. Its layers are held for the build. */
  async get(asked: string, platform: Platform | undefined): Promise<Image> {
    const name = this.#named(asked)
    const key = `${name} ${platform === undefined ? '' : formatPlatform(platform)}`
    const found = this.#found.get(key) ?? this.#load(name, platform)
    this.#found.set(key, found)
    const image = await found
    const material = { kind: 'image', uri: name, digest: image.manifest.digest, platform: image.platform } as const
    this.#materials.set(`${name} ${material.digest}`, material)
    return image
  }

  /** `--build-context NAME=…` stands before images of that name. */
  #named(name: string): string {
    const source = this.#contexts[name]
    if (source === undefined) return name
    if (source.kind === 'image') return source.reference
    throw notImplemented(`FROM the build context ${name}, which is no image,`)
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

  #find(name: string, platform: Platform | undefined): Image | undefined {
    try {
      return this.#parts.images.store.resolve(name, { platform })
    } catch (error) {
      if (isKind(error, 'notFound')) return undefined
      throw error
    }
  }

  async #pullImage(name: string, platform: Platform | undefined, vertex: string): Promise<Image> {
    const reference = parseReference(name)
    const id = await this.#parts.pull(familiarReference(withDefaultTag(reference)), {
      platform,
      auth: this.#host.authOf(reference.registry),
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
    return this.#parts.images.store.resolve(id ?? name, { platform: id === undefined ? platform : undefined })
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
