/** The manifests that refer to another one as their subject. An entry is written when such a manifest is pushed.
 *  Manifests that older clients listed in an index under the fallback tag are included.
 *  https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers */
import { isObject, mediaTypes } from '../../../oci/index.ts'
import { algorithmOf, type BlobDigest, findBlobDigest, hexOfBlob } from '../model/blob-digest.ts'
import { forEachLimited } from '../model/for-each-limited.ts'
import { type ManifestDocument, parseManifest } from '../model/manifest-document.ts'
import { manifestKey, referrerKey, referrersPrefix, tagKey } from '../model/registry-keys.ts'
import type { ObjectStorage } from '../storage/registry-storage.ts'
import type { Referrer } from './pull-source.ts'
import { decodeManifest } from './stored-manifest.ts'

const concurrency = 16

export class Referrers {
  readonly #objects: ObjectStorage

  constructor(objects: ObjectStorage) {
    this.#objects = objects
  }

  /** Writes the entry of a manifest that is about to be stored. */
  async add(
    repository: string,
    subject: BlobDigest,
    digest: BlobDigest,
    size: number,
    document: ManifestDocument,
  ): Promise<void> {
    const entry = Buffer.from(JSON.stringify(describe(digest, size, document)))
    await this.#objects.write(referrerKey(repository, subject, digest), entry)
  }

  /** Deletes the entry of a deleted manifest. */
  async remove(repository: string, subject: BlobDigest, digest: BlobDigest): Promise<void> {
    await this.#objects.delete(referrerKey(repository, subject, digest))
  }

  /** All existing manifests with this subject, sorted by digest. */
  async list(repository: string, subject: BlobDigest): Promise<readonly Referrer[]> {
    const found = new Map<BlobDigest, Referrer>()
    for (const digest of await this.#fallbackDigests(repository, subject)) {
      const referrer = await this.#fromManifest(repository, subject, digest)
      if (referrer !== undefined) found.set(digest, referrer)
    }
    const prefix = referrersPrefix(repository, subject)
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page = await this.#objects.list(prefix, after === '' ? {} : { after })
      await forEachLimited(page.objects, concurrency, async ({ key }) => {
        const referrer = await this.#read(repository, key)
        if (referrer !== undefined) found.set(referrer.digest, referrer)
      })
      after = page.next
    }
    return [...found.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1))
  }

  /** Reads an entry; undefined if its manifest doesn't exist, because a push or a deletion died halfway. */
  async #read(repository: string, key: string): Promise<Referrer | undefined> {
    const bytes = await this.#objects.read(key)
    if (bytes === undefined) return undefined
    const referrer = JSON.parse(bytes.toString()) as Referrer
    return (await this.#objects.stat(manifestKey(repository, referrer.digest))) === undefined ? undefined : referrer
  }

  /** The digests in the index under the fallback tag. */
  async #fallbackDigests(repository: string, subject: BlobDigest): Promise<readonly BlobDigest[]> {
    const digest = findBlobDigest((await this.#objects.read(tagKey(repository, fallbackTag(subject))))?.toString())
    if (digest === undefined) return []
    const stored = await this.#objects.read(manifestKey(repository, digest))
    if (stored === undefined) return []
    const { mediaType, bytes } = decodeManifest(digest, stored)
    if (mediaType !== mediaTypes.ociIndex) return []
    const { manifests } = JSON.parse(bytes.toString()) as { manifests?: unknown }
    if (!Array.isArray(manifests)) return []
    return manifests
      .map((entry) => (isObject(entry) ? findBlobDigest(entry.digest) : undefined))
      .filter((found) => found !== undefined)
  }

  async #fromManifest(repository: string, subject: BlobDigest, digest: BlobDigest): Promise<Referrer | undefined> {
    const stored = await this.#objects.read(manifestKey(repository, digest))
    if (stored === undefined) return undefined
    const { mediaType, bytes } = decodeManifest(digest, stored)
    const document = parseManifest(bytes, mediaType)
    return document.subject === subject ? describe(digest, bytes.length, document) : undefined
  }
}

function describe(digest: BlobDigest, size: number, document: ManifestDocument): Referrer {
  const { mediaType, artifactType, annotations } = document
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  }
}

/** The tag under which clients list referrers in registries without the referrers API. */
function fallbackTag(subject: BlobDigest): string {
  return `${algorithmOf(subject)}-${hexOfBlob(subject).slice(0, 64)}`
}
