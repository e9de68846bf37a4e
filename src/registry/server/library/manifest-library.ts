/** Manifests, tags and the catalog. Each repository stores its manifests whole, with their media types. A tag is an
 *  object that contains a digest. The object that makes something visible is always written last, so that a request
 *  that dies halfway leaves no reference to something missing. */
import { KeyedMutex } from '../../../base/index.ts'
import { algorithmOf, type BlobDigest, blobDigestOf, findBlobDigest } from '../model/blob-digest.ts'
import { forEachLimited } from '../model/for-each-limited.ts'
import { type ManifestDocument, type ManifestPart, parseManifest } from '../model/manifest-document.ts'
import { errorEntry, RegistryError } from '../model/registry-error.ts'
import {
  catalogKey,
  catalogPrefix,
  keyTail,
  manifestKey,
  manifestsPrefix,
  repositoryOfCatalogKey,
  tagKey,
  tagsPrefix,
} from '../model/registry-keys.ts'
import type { ListOptions, ObjectStorage } from '../storage/registry-storage.ts'
import type { BlobLibrary } from './blob-library.ts'
import type { ManifestReference, NamePage, StoredManifest } from './pull-source.ts'
import type { Referrers } from './referrers.ts'
import { decodeManifest, encodeManifest } from './stored-manifest.ts'

const concurrency = 8
const nothing = Buffer.alloc(0)

/** A manifest to store. */
export interface PutManifest {
  readonly repository: string
  readonly reference: ManifestReference
  readonly bytes: Buffer
  /** The client's Content-Type header; '' if there was none. */
  readonly contentType: string
  /** Called before anything changes, with the digest that the reference has now. Throws to refuse the manifest. */
  readonly precondition?: ((current: BlobDigest | undefined) => void) | undefined
}

/** The stored manifest. */
export interface PutResult {
  readonly digest: BlobDigest
  /** The manifest that the stored one refers to. */
  readonly subject: BlobDigest | undefined
}

export interface ManifestLibraryOptions {
  /** Whether all images of an index must exist. */
  readonly checksIndexes: boolean
}

/** The manifests of a storage. */
export class ManifestLibrary {
  readonly #objects: ObjectStorage
  readonly #blobs: BlobLibrary
  readonly #referrers: Referrers
  readonly #options: ManifestLibraryOptions
  readonly #repositories = new KeyedMutex()

  constructor(objects: ObjectStorage, blobs: BlobLibrary, referrers: Referrers, options: ManifestLibraryOptions) {
    this.#objects = objects
    this.#blobs = blobs
    this.#referrers = referrers
    this.#options = options
  }

  /** The manifest; undefined if the repository has none with that reference. Rejects with `dataLoss` if it is
   *  damaged. */
  async find(repository: string, reference: ManifestReference): Promise<StoredManifest | undefined> {
    const digest = await this.resolve(repository, reference)
    if (digest === undefined) return undefined
    const stored = await this.#objects.read(manifestKey(repository, digest))
    return stored === undefined ? undefined : decodeManifest(digest, stored)
  }

  /** The current digest of a reference; undefined for an unknown tag. The manifest need not exist. */
  async resolve(repository: string, reference: ManifestReference): Promise<BlobDigest | undefined> {
    if (reference.kind === 'digest') return reference.digest
    const text = await this.#objects.read(tagKey(repository, reference.tag))
    return findBlobDigest(text?.toString())
  }

  /** Checks and stores a manifest, and sets the tag if the reference is one. Rejects with MANIFEST_INVALID,
   *  DIGEST_INVALID, or MANIFEST_BLOB_UNKNOWN for missing parts. */
  async put({ repository, reference, bytes, contentType, precondition }: PutManifest): Promise<PutResult> {
    const digest = digestToStore(reference, bytes)
    const document = parseManifest(bytes, contentType)
    return await this.#repositories.run(
      `${repository}:${reference.kind === 'tag' ? reference.tag : digest}`,
      async () => {
        if (precondition !== undefined) precondition(await this.#current(repository, reference))
        await this.#checkAndStore(repository, digest, document, bytes)
        if (reference.kind === 'tag') {
          await this.#objects.write(tagKey(repository, reference.tag), Buffer.from(digest))
        }
        return { digest, subject: document.subject }
      },
    )
  }

  /** Stores a manifest of another registry without checking its parts, for a cache. */
  async keep(repository: string, manifest: StoredManifest, tag?: string): Promise<void> {
    const document = parseManifest(manifest.bytes, manifest.mediaType)
    await this.#store(repository, manifest.digest, document, manifest.bytes)
    if (tag !== undefined) await this.#objects.write(tagKey(repository, tag), Buffer.from(manifest.digest))
  }

  /** Deletes a tag; the manifest stays. False if there is no such tag. */
  async deleteTag(repository: string, tag: string): Promise<boolean> {
    return await this.#repositories.run(`${repository}:${tag}`, async () => {
      const key = tagKey(repository, tag)
      if ((await this.#objects.stat(key)) === undefined) return false
      await this.#objects.delete(key)
      return true
    })
  }

  /** Deletes a manifest and all its tags. False if there is no such manifest. */
  async deleteManifest(repository: string, digest: BlobDigest): Promise<boolean> {
    return await this.#repositories.run(`${repository}:${digest}`, async () => {
      const key = manifestKey(repository, digest)
      const stored = await this.#objects.read(key)
      if (stored === undefined) return false
      // The manifest goes first. A tag or a referrer without a manifest is ignored everywhere.
      await this.#objects.delete(key)
      await this.#deleteTagsOf(repository, digest)
      const { subject } = parseManifest(decodeManifest(digest, stored).bytes, '')
      if (subject !== undefined) await this.#referrers.remove(repository, subject, digest)
      await this.#forgetIfEmpty(repository)
      return true
    })
  }

  /** A page of tags, sorted by bytes; undefined if there is no such repository. */
  async listTags(repository: string, { after, limit }: ListOptions): Promise<NamePage | undefined> {
    const prefix = tagsPrefix(repository)
    const [page, known] = await Promise.all([
      this.#objects.list(prefix, { limit, ...(after === undefined ? {} : { after: prefix + after }) }),
      this.#objects.stat(catalogKey(repository)),
    ])
    if (known === undefined && page.objects.length === 0) return undefined
    return { names: page.objects.map(({ key }) => keyTail(key)), next: page.next && keyTail(page.next) }
  }

  /** A page of the repositories with manifests. */
  async listRepositories({ after, limit }: ListOptions): Promise<NamePage> {
    const page = await this.#objects.list(catalogPrefix, {
      limit,
      ...(after === undefined ? {} : { after: catalogKey(after) }),
    })
    return {
      names: page.objects.map(({ key }) => repositoryOfCatalogKey(key)),
      next: page.next && repositoryOfCatalogKey(page.next),
    }
  }

  /** The current digest of a reference, if the manifest exists. */
  async #current(repository: string, reference: ManifestReference): Promise<BlobDigest | undefined> {
    const digest = await this.resolve(repository, reference)
    if (digest === undefined) return undefined
    return (await this.#objects.stat(manifestKey(repository, digest))) === undefined ? undefined : digest
  }

  /** Checks the parts and stores the manifest. A garbage collection that reads the manifests in between doesn't know
   *  that the parts are needed. It can delete them only if storing took so long that their links became old. In that
   *  case the parts are checked again. */
  async #checkAndStore(repository: string, digest: BlobDigest, document: ManifestDocument, bytes: Buffer) {
    const began = performance.now()
    await this.#checkParts(repository, document.parts)
    await this.#store(repository, digest, document, bytes)
    if (performance.now() - began < this.#blobs.freshMs) return
    try {
      await this.#checkParts(repository, document.parts)
    } catch (error) {
      await this.#objects.delete(manifestKey(repository, digest))
      await this.#forgetIfEmpty(repository)
      throw error
    }
  }

  async #store(repository: string, digest: BlobDigest, document: ManifestDocument, bytes: Buffer): Promise<void> {
    if (document.subject !== undefined) {
      await this.#referrers.add(repository, document.subject, digest, bytes.length, document)
    }
    await this.#objects.write(manifestKey(repository, digest), encodeManifest(document.mediaType, bytes))
    // Always after the manifest; #forgetIfEmpty relies on that.
    if ((await this.#objects.stat(catalogKey(repository))) === undefined) {
      await this.#objects.write(catalogKey(repository), nothing)
    }
  }

  async #checkParts(repository: string, parts: readonly ManifestPart[]): Promise<void> {
    const missing = new Set<BlobDigest>()
    const required = new Map(parts.filter(({ isRequired }) => isRequired).map((part) => [part.digest, part]))
    await forEachLimited([...required.values()], concurrency, async (part) => {
      if (!(await this.#has(repository, part))) missing.add(part.digest)
    })
    const [first, ...others] = [...missing].map((digest) => errorEntry('MANIFEST_BLOB_UNKNOWN', { detail: { digest } }))
    if (first !== undefined) throw new RegistryError('MANIFEST_BLOB_UNKNOWN', { detail: first.detail, others })
  }

  async #has(repository: string, { kind, digest }: ManifestPart): Promise<boolean> {
    if (kind === 'blob') return (await this.#blobs.claim(repository, digest)) !== undefined
    if (!this.#options.checksIndexes) return true
    if ((await this.#objects.stat(manifestKey(repository, digest))) !== undefined) return true
    // An index may also name blobs.
    return (await this.#blobs.claim(repository, digest)) !== undefined
  }

  async #deleteTagsOf(repository: string, digest: BlobDigest): Promise<void> {
    const prefix = tagsPrefix(repository)
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page = await this.#objects.list(prefix, after === '' ? {} : { after })
      await forEachLimited(page.objects, concurrency, async ({ key }) => {
        if ((await this.#objects.read(key))?.toString() === digest) await this.#objects.delete(key)
      })
      after = page.next
    }
  }

  /** Removes a repository without manifests from the catalog. A concurrent push writes its manifest before the catalog
   *  entry. So either its entry is written after the deletion, or its manifest is seen here and the entry is
   *  restored. */
  async #forgetIfEmpty(repository: string): Promise<void> {
    const isEmpty = async () =>
      (await this.#objects.list(manifestsPrefix(repository), { limit: 1 })).objects.length === 0
    if (!(await isEmpty())) return
    await this.#objects.delete(catalogKey(repository))
    if (!(await isEmpty())) await this.#objects.write(catalogKey(repository), nothing)
  }
}

/** The digest under which a manifest is stored: with the client's algorithm if it pushes by digest, else sha256. Throws
 *  DIGEST_INVALID if the bytes don't fit the client's digest. */
function digestToStore(reference: ManifestReference, bytes: Buffer): BlobDigest {
  if (reference.kind === 'tag') return blobDigestOf(bytes)
  const digest = blobDigestOf(bytes, algorithmOf(reference.digest))
  if (digest !== reference.digest) {
    throw new RegistryError('DIGEST_INVALID', { detail: { expected: reference.digest, actual: digest } })
  }
  return digest
}
