/** Blobs and which repository has which. A blob's bytes exist once; a repository has it by a link, and what a
 *  repository has no link to, its clients cannot see. Links are made only for those who brought the bytes or may
 *  read them elsewhere. */
import { randomUUID } from 'node:crypto'
import { isKind } from '../../../base/index.ts'
import type { BlobDigest } from '../model/blob-digest.ts'
import { RegistryError } from '../model/registry-error.ts'
import { blobKey, condemnedKey, intentKey, linkKey, linksPrefix, repositoryOfLink } from '../model/registry-keys.ts'
import type { ObjectStorage, RegistryStorage, UploadStorage } from '../storage/registry-storage.ts'
import { awaitVerdict, writeLink } from './condemned.ts'
import type { StoredBlob } from './pull-source.ts'

const nothing = Buffer.alloc(0)

export interface BlobLibraryOptions {
  /** A link of this age is not collected before a request that relies on it has ended: half of the grace period. */
  readonly freshMs: number
}

export class BlobLibrary {
  readonly #objects: ObjectStorage
  readonly #uploads: UploadStorage
  /** So long what `claim` gave stays, whatever is collected. */
  readonly freshMs: number

  constructor({ objects, uploads }: RegistryStorage, { freshMs }: BlobLibraryOptions) {
    this.#objects = objects
    this.#uploads = uploads
    this.freshMs = freshMs
  }

  /** The blob, if the repository has it. */
  async find(repository: string, digest: BlobDigest): Promise<StoredBlob | undefined> {
    const [link, blob] = await Promise.all([
      this.#objects.stat(linkKey(repository, digest)),
      this.#objects.stat(blobKey(digest)),
    ])
    return link === undefined || blob === undefined ? undefined : this.#stored(digest, blob.sizeBytes)
  }

  /** The same for somebody who will rely on it soon, such as a manifest that names it: it stays for the grace period
   *  from now on. */
  async claim(repository: string, digest: BlobDigest): Promise<StoredBlob | undefined> {
    const link = await this.#objects.stat(linkKey(repository, digest))
    if (link === undefined) return undefined
    const isFresh = Date.now() - link.modifiedAt.getTime() < this.freshMs
    if (isFresh) return await this.find(repository, digest)
    return await this.#link(repository, digest)
  }

  /** Gives `repository` a blob that `from` has. The caller has checked that its client may read there. */
  async mount(repository: string, from: string, digest: BlobDigest): Promise<StoredBlob | undefined> {
    if ((await this.find(from, digest)) === undefined) return undefined
    return await this.#link(repository, digest)
  }

  /** Some repositories that have the blob. */
  async repositoriesWith(digest: BlobDigest, limit: number): Promise<readonly string[]> {
    const { objects } = await this.#objects.list(linksPrefix(digest), { limit })
    return objects.map(({ key }) => repositoryOfLink(key)).filter((name) => name !== undefined)
  }

  /** Makes an upload the blob that it is said to be. Other bytes: DIGEST_INVALID, and the upload is gone. */
  async commitUpload(repository: string, uploadId: string, digest: BlobDigest): Promise<number> {
    const [blob, condemned] = await Promise.all([
      this.#objects.stat(blobKey(digest)),
      this.#objects.stat(condemnedKey(digest)),
    ])
    // Bytes of no name yet are nobody's to collect: a new blob needs no mark.
    if (blob === undefined && condemned === undefined) return await this.#commit(repository, uploadId, digest)
    const mark = intentKey(digest, randomUUID())
    await this.#objects.write(mark, nothing)
    try {
      await awaitVerdict(this.#objects, digest)
      return await this.#commit(repository, uploadId, digest)
    } finally {
      await this.#objects.delete(mark)
    }
  }

  /** Takes the blob from the repository; its bytes go with the next garbage collection if nothing needs them.
   *  False when the repository doesn't have it. */
  async unlink(repository: string, digest: BlobDigest): Promise<boolean> {
    if ((await this.find(repository, digest)) === undefined) return false
    await this.#objects.delete(linkKey(repository, digest))
    return true
  }

  async #commit(repository: string, uploadId: string, digest: BlobDigest): Promise<number> {
    const began = performance.now()
    let size: number
    try {
      size = await this.#uploads.commit(uploadId, blobKey(digest), digest)
    } catch (error) {
      if (isKind(error, 'notFound')) throw new RegistryError('BLOB_UPLOAD_UNKNOWN', { cause: error })
      if (!isKind(error, 'invalidArgument')) throw error
      await this.#uploads.abort(uploadId)
      throw new RegistryError('DIGEST_INVALID', { detail: error.details, cause: error })
    }
    // Only after the bytes were verified: a link is the right to read them. Until then the blob is young enough.
    await writeLink(this.#objects, digest, linkKey(repository, digest))
    if (performance.now() - began >= this.freshMs && (await this.claim(repository, digest)) === undefined) {
      throw new RegistryError('UNAVAILABLE', { message: 'storing the blob took too long' })
    }
    return size
  }

  /** Writes the link first, then asks for the blob: see condemned.ts. */
  async #link(repository: string, digest: BlobDigest): Promise<StoredBlob | undefined> {
    const key = linkKey(repository, digest)
    await writeLink(this.#objects, digest, key)
    const blob = await this.#objects.stat(blobKey(digest))
    if (blob !== undefined) return this.#stored(digest, blob.sizeBytes)
    await this.#objects.delete(key)
    return undefined
  }

  #stored(digest: BlobDigest, sizeBytes: number): StoredBlob {
    const key = blobKey(digest)
    const { openReader } = this.#objects
    return {
      digest,
      sizeBytes,
      open: (range) => this.#objects.open(key, range),
      ...(openReader === undefined ? {} : { openReader: () => openReader.call(this.#objects, key) }),
    }
  }
}
