/** Where a cache is read from: a repository, or an OCI layout in a directory of the client's. */
import { type AbortOptions, invalidArgument, notFound } from '../../../base/index.ts'
import { algorithmOf, type Descriptor, hexOf, isObject, parseDescriptor } from '../../../oci/index.ts'
import type { FetchedManifest, Repository } from '../../../registry/client/index.ts'
import type { CachePlace } from './cache-option.ts'

export interface CacheSource {
  /** The manifest or index on top. Throws `notFound` when there is no cache. */
  top(options?: AbortOptions): Promise<Buffer>
  /** A manifest that the index on top lists. */
  manifest(descriptor: Descriptor, options?: AbortOptions): Promise<Buffer>
  /** A small blob, whole. */
  blob(descriptor: Descriptor, options?: AbortOptions): Promise<Buffer>
  /** Bytes that are not verified. */
  open(descriptor: Descriptor, options?: AbortOptions): AsyncIterable<Buffer>
}

/** A cache, or an image with one in it, in a registry. */
export class RegistryCacheSource implements CacheSource {
  readonly #repository: Repository
  readonly #target: string

  constructor(repository: Repository, target: string) {
    this.#repository = repository
    this.#target = target
  }

  async top(options: AbortOptions = {}): Promise<Buffer> {
    const { bytes }: FetchedManifest = await this.#repository.fetchManifest(this.#target, options)
    return Buffer.from(bytes)
  }

  async manifest({ digest }: Descriptor, options: AbortOptions = {}): Promise<Buffer> {
    return Buffer.from((await this.#repository.fetchManifest(digest, options)).bytes)
  }

  blob(descriptor: Descriptor, options: AbortOptions = {}): Promise<Buffer> {
    return this.#repository.fetchBlob(descriptor, options)
  }

  open(descriptor: Descriptor, options: AbortOptions = {}): AsyncIterable<Buffer> {
    return this.#repository.openBlob(descriptor, options)
  }
}

/** Reads files of a directory. */
export type ReadFile = (path: string) => AsyncIterable<Buffer>

const maxDocumentBytes = 64 * 1024 * 1024

/** What `--cache-to type=local` wrote. */
export class LayoutCacheSource implements CacheSource {
  readonly #read: ReadFile
  readonly #place: Extract<CachePlace, { type: 'local' }>

  constructor(read: ReadFile, place: Extract<CachePlace, { type: 'local' }>) {
    this.#read = read
    this.#place = place
  }

  async top(): Promise<Buffer> {
    const { tag, digest } = this.#place
    const index: unknown = JSON.parse((await this.#whole('index.json')).toString('utf8'))
    const manifests = isObject(index) && Array.isArray(index.manifests) ? index.manifests.map(parseDescriptor) : []
    const named = (one: Descriptor) => one.annotations?.['org.opencontainers.image.ref.name'] === tag
    const found = manifests.find((one) => (digest === undefined ? named(one) : one.digest === digest))
    if (found === undefined) throw notFound(`no cache ${digest ?? tag} in the directory`)
    return await this.#whole(pathOf(found))
  }

  manifest(descriptor: Descriptor): Promise<Buffer> {
    return this.#whole(pathOf(descriptor))
  }

  blob(descriptor: Descriptor): Promise<Buffer> {
    return this.#whole(pathOf(descriptor))
  }

  open(descriptor: Descriptor): AsyncIterable<Buffer> {
    return this.#read(pathOf(descriptor))
  }

  async #whole(path: string): Promise<Buffer> {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of this.#read(path)) {
      size += chunk.length
      if (size > maxDocumentBytes) throw invalidArgument(`${path} of the cache is too large`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }
}

function pathOf({ digest }: Descriptor): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`
}
