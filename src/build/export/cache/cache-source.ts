/** The places that a cache can be read from: a repository, or an OCI layout in a directory of the client. */
import type { AbortOptions } from '../../../base/index.ts'
import type { Descriptor } from '../../../oci/index.ts'
import type { FetchedManifest, Repository } from '../../../registry/client/index.ts'
import { type LayoutPlace, OciLayout, type ReadFile } from '../../context/oci-layout.ts'

/** A place with one cache. */
export interface CacheSource {
  /** Reads the manifest or index of the cache. Throws `notFound` when there is none. */
  top(options?: AbortOptions): Promise<Buffer>
  /** Reads a manifest that the index lists. */
  manifest(descriptor: Descriptor, options?: AbortOptions): Promise<Buffer>
  /** Reads a small blob completely. */
  blob(descriptor: Descriptor, options?: AbortOptions): Promise<Buffer>
  /** Reads a blob's bytes. They are not verified. */
  open(descriptor: Descriptor, options?: AbortOptions): AsyncIterable<Buffer>
}

/** A cache, or an image with an inline cache, in a registry. */
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

/** A directory that `--cache-to type=local` wrote. */
export class LayoutCacheSource implements CacheSource {
  readonly #layout: OciLayout
  readonly #place: LayoutPlace

  constructor(read: ReadFile, place: LayoutPlace) {
    this.#layout = new OciLayout(read)
    this.#place = place
  }

  async top(): Promise<Buffer> {
    return await this.#layout.read(await this.#layout.find(this.#place))
  }

  manifest(descriptor: Descriptor): Promise<Buffer> {
    return this.#layout.read(descriptor)
  }

  blob(descriptor: Descriptor): Promise<Buffer> {
    return this.#layout.read(descriptor)
  }

  open(descriptor: Descriptor): AsyncIterable<Buffer> {
    return this.#layout.open(descriptor)
  }
}
