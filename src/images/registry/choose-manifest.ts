/** Finds the manifest of one platform for a reference: it follows indexes, also nested ones, and skips entries that are
 *  not images. */
import { type AbortOptions, BerthError, isBerthError, isKind } from '../../base/index.ts'
import type { Lease, LocalContentStore } from '../../content/index.ts'
import {
  algorithmOf,
  bestPlatform,
  type Descriptor,
  type Digest,
  familiarReference,
  formatPlatform,
  type ImageIndex,
  isIndexType,
  type Manifest,
  type ManifestDocument,
  type Platform,
  parseImageConfig,
  parseManifestDocument,
  platformOfConfig,
  platformRank,
  type Reference,
  schema1Refused,
} from '../../oci/index.ts'
import { isWorthRetrying, type Repository } from '../../registry/client/index.ts'
import { readVerified } from './read-verified.ts'

/** The manifest that was found. */
export interface ChosenManifest {
  /** The descriptor that the name will stand for: the index, if there is one, else the manifest. */
  readonly target: Descriptor
  readonly descriptor: Descriptor
  readonly manifest: Manifest
}

/** How to choose. */
export interface ChooseOptions extends AbortOptions {
  readonly platform: Platform
  /** The lease that holds the fetched blobs. */
  readonly lease: Lease
}

interface Candidate {
  readonly descriptor: Descriptor
  readonly platform: Platform | undefined
}

const maxConfigBytes = 8 << 20
const maxDepth = 4
/** Limit of the manifests that one choice fetches; no image has as many platforms. */
const maxFetches = 64

/** Fetches manifests of one repository into the content store. Stored ones are not fetched again. */
export class ManifestChooser {
  readonly #content: LocalContentStore
  readonly #repository: Repository
  readonly #reference: Reference
  readonly #options: ChooseOptions
  #fetches = 0

  constructor(content: LocalContentStore, repository: Repository, reference: Reference, options: ChooseOptions) {
    this.#content = content
    this.#repository = repository
    this.#reference = reference
    this.#options = options
  }

  /** Finds the manifest for the platform. Throws `notFound` when the index has none. */
  async choose(): Promise<ChosenManifest> {
    const bytes = await this.#top()
    const { digest, document } = bytes
    if (document.type === 'manifest') {
      const { mediaType } = document.manifest
      const descriptor = { mediaType, digest, size: bytes.sizeBytes }
      return { target: descriptor, descriptor, manifest: document.manifest }
    }
    const target = { mediaType: document.index.mediaType, digest, size: bytes.sizeBytes }
    const { platform } = this.#options
    const chosen = await this.#best(document.index)
    if (chosen === undefined) {
      throw new BerthError(
        'notFound',
        `no matching manifest for ${formatPlatform(platform)} in the manifest list entries`,
      )
    }
    const inner = await this.#fetch(chosen.descriptor)
    if (inner.type !== 'manifest') throw new BerthError('dataLoss', `${chosen.descriptor.digest} is not a manifest`)
    const { mediaType } = inner.manifest
    const descriptor = { ...chosen.descriptor, mediaType, platform: chosen.platform ?? platform }
    return { target, descriptor, manifest: inner.manifest }
  }

  /** The document that the reference names. It asks for the digest first, because that does not count against a
   *  registry's pull limit. */
  async #top(): Promise<{ readonly digest: Digest; readonly sizeBytes: number; readonly document: ManifestDocument }> {
    const { signal } = this.#options
    const { tag = '', digest: asked } = this.#reference
    const head = await this.#head(asked ?? tag)
    if (head !== undefined) this.#hold(head.digest)
    const stored = head === undefined ? undefined : await readVerified(this.#content, head.digest)
    if (head !== undefined && stored !== undefined) {
      return { digest: head.digest, sizeBytes: stored.length, document: this.#parse(stored, head.mediaType) }
    }
    const { bytes, descriptor } = await this.#repository.fetchManifest(asked ?? tag, { signal })
    await this.#keep(bytes, descriptor.digest)
    const document = this.#parse(bytes, descriptor.mediaType)
    return { digest: descriptor.digest, sizeBytes: bytes.length, document }
  }

  /** The descriptor that a HEAD request gives. Undefined when the registry does not answer it, or with an error: the
   *  GET after it reports the reason. */
  async #head(target: string): Promise<Descriptor | undefined> {
    try {
      return await this.#repository.resolve(target, { signal: this.#options.signal })
    } catch (error) {
      const isAnswer = isBerthError(error) && error.details.status !== undefined && !isWorthRetrying(error)
      if (!isAnswer || error.details.noCredentials === true) throw error
      return undefined
    }
  }

  async #best(index: ImageIndex): Promise<Candidate | undefined> {
    const { platform } = this.#options
    const entries = index.manifests.filter(isImage)
    const isPlain = (one: Descriptor) => one.platform !== undefined && !isIndexType(one.mediaType)
    const plain = entries.filter(isPlain).map((descriptor) => ({ descriptor, platform: descriptor.platform }))
    const best = bestPlatform(platform, plain, (one) => one.platform)
    const rest = entries.filter((one) => !isPlain(one))
    if (rest.length === 0 || (best?.platform !== undefined && platformRank(platform, best.platform) === 0)) return best
    const more = await this.#expand(rest, 1)
    return bestPlatform(platform, [...plain, ...more], (one) => one.platform)
  }

  /** The manifests below nested indexes, with their platforms, which some have only in their configs. */
  async #expand(entries: readonly Descriptor[], depth: number): Promise<Candidate[]> {
    const found: Candidate[] = []
    for (const descriptor of entries) {
      const { platform } = descriptor
      const isIndex = isIndexType(descriptor.mediaType)
      if (platform !== undefined && platformRank(this.#options.platform, platform) === undefined) continue
      if (platform !== undefined && !isIndex) found.push({ descriptor, platform })
      else if (depth > maxDepth || this.#fetches >= maxFetches) continue
      else found.push(...(await this.#inside(descriptor, depth)))
    }
    return found
  }

  async #inside(descriptor: Descriptor, depth: number): Promise<Candidate[]> {
    this.#fetches += 1
    const document = await this.#fetch(descriptor)
    if (document.type === 'index') return await this.#expand(document.index.manifests.filter(isImage), depth + 1)
    const { config } = document.manifest
    if (config.size > maxConfigBytes) return []
    const bytes = await this.#repository.fetchBlob(config, { signal: this.#options.signal })
    try {
      return [{ descriptor, platform: platformOfConfig(parseImageConfig(bytes)) }]
    } catch (error) {
      if (isKind(error, 'invalidArgument')) return [] // An artifact that is no image.
      throw error
    }
  }

  async #fetch({ digest, mediaType }: Descriptor): Promise<ManifestDocument> {
    this.#hold(digest)
    const stored = await readVerified(this.#content, digest)
    if (stored !== undefined) return this.#parse(stored, mediaType)
    const { bytes } = await this.#repository.fetchManifest(digest, { signal: this.#options.signal })
    await this.#keep(bytes, digest)
    return this.#parse(bytes, mediaType)
  }

  #parse(bytes: Buffer, mediaType: string): ManifestDocument {
    try {
      return parseManifestDocument(bytes, mediaType)
    } catch (error) {
      if (!isBerthError(error) || !error.message.includes('schema 1')) throw error
      throw schema1Refused(familiarReference(this.#reference))
    }
  }

  async #keep(bytes: Buffer, digest: Digest): Promise<void> {
    this.#hold(digest)
    await this.#content.put(bytes, algorithmOf(digest))
  }

  #hold(digest: Digest): void {
    this.#options.lease.add({ kind: 'blob', key: digest })
  }
}

/** False for attestations, which indexes list beside images. */
function isImage({ platform, annotations }: Descriptor): boolean {
  return platform?.os !== 'unknown' && annotations?.['vnd.docker.reference.type'] !== 'attestation-manifest'
}
