/** The pull source of a cache. Contents in the storage are served from there; the rest is downloaded from upstream and
 *  stored. The content of a digest never changes. A tag is looked up at upstream each time, unless upstream can't be
 *  reached. */
import { type AbortOptions, isKind, type Logger, messageOf } from '../../../base/index.ts'
import type { LocalContents } from '../library/local-source.ts'
import type {
  ManifestReference,
  NamePage,
  PullSource,
  Referrer,
  StoredBlob,
  StoredManifest,
} from '../library/pull-source.ts'
import type { BlobDigest } from '../model/blob-digest.ts'
import { blobKey, manifestKey } from '../model/registry-keys.ts'
import type { ListOptions, UploadStorage } from '../storage/registry-storage.ts'
import { BlobDownload } from './blob-download.ts'
import type { CacheEvictor } from './cache-evictor.ts'
import type { CacheUsage } from './cache-usage.ts'
import { PartSizes } from './part-sizes.ts'
import type { Upstream } from './upstream.ts'

export interface CachedSourceOptions {
  readonly local: LocalContents
  readonly upstream: Upstream
  readonly uploads: UploadStorage
  /** Undefined if nothing is ever evicted. */
  readonly usage: CacheUsage | undefined
  readonly evictor: CacheEvictor
  readonly spoolFolder: string
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** If the storage has a manifest for a tag, upstream gets this time to name a newer one. */
const patienceMs = 3000
/** A list from upstream serves the client's further pages for this time. */
const listMs = 10_000
const defaultPage = 1000

export class CachedSource implements PullSource {
  readonly acceptsPush = false
  readonly #options: CachedSourceOptions
  readonly #sizes = new PartSizes()
  readonly #downloads = new Map<BlobDigest, BlobDownload>()
  readonly #looks = new Map<string, Promise<StoredManifest | undefined>>()
  readonly #lists = new Map<string, { readonly names: readonly string[]; readonly untilMs: number }>()

  constructor(options: CachedSourceOptions) {
    this.#options = options
  }

  serves(namespace: string): boolean {
    return this.#options.upstream.serves(namespace)
  }

  /** Concurrent requests for the same manifest share one lookup. */
  findManifest(repository: string, reference: ManifestReference): Promise<StoredManifest | undefined> {
    const key = `${repository}@${reference.kind === 'tag' ? reference.tag : reference.digest}`
    let look = this.#looks.get(key)
    if (look === undefined) {
      look = this.#look(repository, reference).finally(() => this.#looks.delete(key))
      this.#looks.set(key, look)
    }
    return look
  }

  async findBlob(repository: string, digest: BlobDigest): Promise<StoredBlob | undefined> {
    const here = await this.#options.local.blobs.find(repository, digest)
    if (here !== undefined) return this.#used(repository, here)
    const { upstream, signal } = this.#options
    const sizeBytes = this.#sizes.find(repository, digest) ?? (await upstream.blobSize(repository, digest, { signal }))
    if (sizeBytes === undefined) return undefined
    const linked = await this.#link(repository, digest)
    if (linked !== undefined) return this.#used(repository, linked)
    return { digest, sizeBytes, open: (range) => this.#download(repository, digest, sizeBytes).open(range) }
  }

  async listTags(repository: string, options: ListOptions & AbortOptions): Promise<NamePage | undefined> {
    const { upstream, local, signal } = this.#options
    const page = await this.#list(repository, options, () => upstream.tags(repository, { signal }))
    return page === 'unreachable' ? local.manifests.listTags(repository, options) : page
  }

  /** The repositories of upstream, or those in the storage if upstream doesn't list its own. */
  async listRepositories(options: ListOptions & AbortOptions): Promise<NamePage> {
    const { upstream, local, signal } = this.#options
    const page = await this.#list('', options, () => upstream.repositories({ signal }))
    return page === 'unreachable' || page === undefined ? local.manifests.listRepositories(options) : page
  }

  async listReferrers(repository: string, subject: BlobDigest): Promise<readonly Referrer[] | undefined> {
    try {
      return await this.#options.upstream.referrers(repository, subject, { signal: this.#options.signal })
    } catch {
      return undefined // upstream.ts has logged it
    }
  }

  /** Resolves when all downloads have ended. */
  async drain(): Promise<void> {
    await Promise.all([...this.#downloads.values()].map(({ ended }) => ended))
  }

  async #look(repository: string, reference: ManifestReference): Promise<StoredManifest | undefined> {
    const here = await this.#options.local.manifests.find(repository, reference)
    const manifest =
      reference.kind === 'tag'
        ? await this.#lookUpTag(repository, reference.tag, here)
        : (here ?? (await this.#fetch(repository, reference.digest)))
    if (manifest === undefined) return undefined
    this.#sizes.learn(repository, manifest.bytes)
    await this.#touch(manifestKey(repository, manifest.digest))
    return manifest
  }

  /** Looks up a tag at upstream. `here` is the stored manifest of the tag, which is used if upstream can't be
   *  reached. */
  async #lookUpTag(
    repository: string,
    tag: string,
    here: StoredManifest | undefined,
  ): Promise<StoredManifest | undefined> {
    const { upstream, local, logger, signal } = this.#options
    if (here !== undefined && upstream.isResting) return here
    try {
      const patience = here === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
      const there = await upstream.resolve(repository, tag, { signal: patience })
      if (there === undefined) {
        if (here !== undefined) await local.manifests.deleteTag(repository, tag)
        return undefined
      }
      if (there.digest === here?.digest) return here
      const known = await local.manifests.find(repository, { kind: 'digest', digest: there.digest })
      if (known === undefined) return await this.#fetch(repository, there.digest, tag)
      await local.manifests.keep(repository, known, tag)
      return known
    } catch (error) {
      if (here === undefined || signal.aborted) throw error
      logger.info('upstream not asked: an earlier answer is given', { repository, tag, error: messageOf(error) })
      return here
    }
  }

  async #fetch(repository: string, digest: BlobDigest, tag?: string): Promise<StoredManifest | undefined> {
    const { upstream, local, logger, signal } = this.#options
    const fetched = await upstream.manifest(repository, digest, { signal })
    if (fetched === undefined) return undefined
    const manifest = { digest, mediaType: fetched.descriptor.mediaType, bytes: fetched.bytes }
    try {
      await local.manifests.keep(repository, manifest, tag)
    } catch (error) {
      if (!isKind(error, 'invalidArgument')) throw error
      logger.debug('manifest not cached: of an old or unknown form', { repository, digest })
    }
    return manifest
  }

  /** Links a blob that was downloaded for another repository. The caller knows that this repository has it at
   *  upstream. */
  async #link(repository: string, digest: BlobDigest): Promise<StoredBlob | undefined> {
    const { blobs } = this.#options.local
    const [other] = await blobs.repositoriesWith(digest, 1)
    return other === undefined ? undefined : await blobs.mount(repository, other, digest)
  }

  /** A stored blob. If it is evicted before it is opened, it is downloaded again. */
  async #used(repository: string, blob: StoredBlob): Promise<StoredBlob> {
    await this.#touch(blobKey(blob.digest))
    const { digest, sizeBytes, openReader } = blob
    return {
      digest,
      sizeBytes,
      open: async (range) =>
        (await ifFound(() => blob.open(range))) ?? (await this.#download(repository, digest, sizeBytes).open(range)),
      ...(openReader === undefined ? {} : { openReader: () => ifFound(openReader) }),
    }
  }

  /** The running download of a blob, or a new one. */
  #download(repository: string, digest: BlobDigest, sizeBytes: number): BlobDownload {
    const running = this.#downloads.get(digest)
    if (running !== undefined) return running
    const { upstream, uploads, local, evictor, spoolFolder, logger, signal } = this.#options
    const source = upstream.blob(repository, digest, sizeBytes, { signal })
    const { blobs } = local
    const download = new BlobDownload({ repository, digest, sizeBytes, source, uploads, blobs, spoolFolder, logger })
    this.#downloads.set(digest, download)
    void download.ended.then(() => {
      this.#downloads.delete(digest)
      evictor.added(sizeBytes)
    })
    return download
  }

  async #touch(key: string): Promise<void> {
    try {
      await this.#options.usage?.touch(key)
    } catch (error) {
      // The content may be evicted too early. The request goes on nevertheless.
      this.#options.logger.warn('use of cached contents not noted', { key, error: messageOf(error) })
    }
  }

  async #list(
    key: string,
    { after = '', limit = defaultPage }: ListOptions,
    ask: () => Promise<readonly string[] | undefined>,
  ): Promise<NamePage | 'unreachable' | undefined> {
    let names = this.#lists.get(key)
    if (names === undefined || names.untilMs < Date.now()) {
      let fresh: readonly string[] | undefined
      try {
        fresh = await ask()
      } catch {
        return 'unreachable' // upstream.ts has logged it
      }
      if (fresh === undefined) return undefined
      names = { names: fresh.toSorted(byBytes), untilMs: Date.now() + listMs }
      // Only a list with further pages is kept.
      if (fresh.length >= limit) this.#lists.set(key, names)
      for (const [old, { untilMs }] of this.#lists) if (untilMs < Date.now()) this.#lists.delete(old)
    }
    const rest = names.names.filter((name) => byBytes(name, after) > 0)
    const page = rest.slice(0, limit)
    return { names: page, next: rest.length > page.length ? page.at(-1) : undefined }
  }
}

async function ifFound<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (isKind(error, 'notFound')) return undefined
    throw error
  }
}

function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}
