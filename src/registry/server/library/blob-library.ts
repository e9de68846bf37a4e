/** Blobs, and the links that give them to repositories. A blob's bytes are stored once. A repository has a blob by a
 *  link; without one, clients of the repository can't see the blob. A link is written only for a client that uploaded
 *  the bytes or may read them in another repository. */
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
  /** A younger link is not collected before a request that relies on it has ended. Half of the grace period, in ms. */
  readonly freshMs: number
}

/** The blobs of a storage. */
export class BlobLibrary {
  readonly #objects: ObjectStorage
  readonly #uploads: UploadStorage
  /** For this time in ms, no collection deletes a claimed blob. */
  readonly freshMs: number

  constructor({ objects, uploads }: RegistryStorage, { freshMs }: BlobLibraryOptions) {
    this.#objects = objects
    this.#uploads = uploads
    this.freshMs = freshMs
  }

  /** The blob, or undefined if the repository doesn't have it. */
  async find(repository: string, digest: BlobDigest): Promise<StoredBlob | undefined> {
    const [link, blob] = await Promise.all([
      this.#objects.stat(linkKey(repository, digest)),
      this.#objects.stat(blobKey(digest)),
    ])
    return link === undefined || blob === undefined ? undefined : this.#stored(digest, blob.sizeBytes)
  }

  /** The same for a request that relies on the blob, for example to push a manifest that names it. The grace period
   *  begins again: no collection deletes the blob before `freshMs` have passed. */
  async claim(repository: string, digest: BlobDigest): Promise<StoredBlob | undefined> {
    const link = await this.#objects.stat(linkKey(repository, digest))
    if (link === undefined) return undefined
    const isFresh = Date.now() - link.modifiedAt.getTime() < this.freshMs
    if (isFresh) return await this.find(repository, digest)
    return await this.#link(repository, digest)
  }

  /** Gives `repository` a blob that `from` has; undefined if `from` doesn't have it. The caller has checked that the
   *  client may read `from`. */
  async mount(repository: string, from: string, digest: BlobDigest): Promise<StoredBlob | undefined> {
    if ((await this.find(from, digest)) === undefined) return undefined
    return await this.#link(repository, digest)
  }

  /** Up to `limit` repositories that have the blob. */
  async repositoriesWith(digest: BlobDigest, limit: number): Promise<readonly string[]> {
    const { objects } = await this.#objects.list(linksPrefix(digest), { limit })
    return objects.map(({ key }) => repositoryOfLink(key)).filter((name) => name !== undefined)
  }

  /** Turns an upload into a blob of the repository and gives its size. Rejects with DIGEST_INVALID, and drops the
   *  upload, if the bytes have another digest. Rejects with BLOB_UPLOAD_UNKNOWN if there is no such upload. */
  async commitUpload(repository: string, uploadId: string, digest: BlobDigest): Promise<number> {
    const [blob, condemned] = await Promise.all([
      this.#objects.stat(blobKey(digest)),
      this.#objects.stat(condemnedKey(digest)),
    ])
    // A collection can't have chosen a blob that doesn't exist yet, so a new blob needs no mark.
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

  /** Removes the blob from the repository. A later garbage collection deletes the bytes if no repository uses them.
   *  False if the repository doesn't have the blob. */
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
    // A link gives the right to read, so it is written only after the bytes were verified. Until then, the blob's age
    // protects it from collections.
    await writeLink(this.#objects, digest, linkKey(repository, digest))
    if (performance.now() - began >= this.freshMs && (await this.claim(repository, digest)) === undefined) {
      throw new RegistryError('UNAVAILABLE', { message: 'storing the blob took too long' })
    }
    return size
  }

  /** Writes the link, then checks that the blob exists. condemned.ts explains the order. */
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
