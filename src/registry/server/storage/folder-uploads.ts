/** Uploads as growing files. A lock of the kernel's on each lets one request at a time work on it, whichever process
 *  that is in, and goes with the process. Hashes run behind the writing in worker threads. */
import { type FileHandle, mkdir, open, readdir, rm, stat, utimes } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf, isKind } from '../../../base/index.ts'
import { acquireLock, type Lock } from '../../../sys/index.ts'
import { algorithmOf, type BlobDigest, type DigestAlgorithm, hasherOf, hexOfBlob } from '../blob-digest.ts'
import { ChunkWriter } from './chunk-writer.ts'
import { renameInto } from './durable-file.ts'
import { objectPath, uploadDataPath, uploadLockPath, uploadPath, uploadsPath } from './folder-paths.ts'
import type { HashPool } from './hash-pool.ts'
import type { AppendOptions, ListOptions, UploadInfo, UploadPage, UploadStorage } from './registry-storage.ts'
import { digestMismatch, offsetMismatch, uploadBusy, uploadUnknown } from './storage-errors.ts'

/** How long a request waits for the one before it: that of a client whose connection broke ends within this. */
const lockWaitMs = 3_000
const lockPollMs = 25
/** Uploads up to this size are hashed on the spot: asking a thread takes longer. */
const inlineBytes = 512 * 1024
const defaultPage = 1000

export class FolderUploads implements UploadStorage {
  readonly #root: string
  readonly #hashes: HashPool

  constructor(root: string, hashes: HashPool) {
    this.#root = root
    this.#hashes = hashes
  }

  async create(id: string): Promise<void> {
    await mkdir(uploadPath(this.#root, id), { mode: 0o700 })
    const file = await open(uploadDataPath(this.#root, id), 'wx', 0o600)
    await file.close()
  }

  async find(id: string): Promise<UploadInfo | undefined> {
    try {
      const { size, mtime } = await stat(uploadDataPath(this.#root, id))
      return { id, sizeBytes: size, modifiedAt: mtime }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  async append(
    id: string,
    offset: number,
    source: AsyncIterable<Buffer>,
    { algorithm = 'sha256' }: AppendOptions = {},
  ): Promise<number> {
    const lock = await this.#lock(id)
    try {
      const file = await this.#openData(id)
      try {
        return await this.#appendTo(file, id, offset, source, algorithm)
      } finally {
        await file.close()
      }
    } finally {
      lock.release()
    }
  }

  async commit(id: string, key: string, digest: BlobDigest): Promise<number> {
    const lock = await this.#lock(id)
    try {
      const path = uploadDataPath(this.#root, id)
      const file = await this.#openData(id)
      let size: number
      try {
        size = (await file.stat()).size
        const [actual] = await Promise.all([this.#hash(file, id, size, algorithmOf(digest)), file.datasync()])
        if (actual !== hexOfBlob(digest)) throw digestMismatch(digest, `${algorithmOf(digest)}:${actual}`)
      } finally {
        await file.close()
      }
      // Bytes may have come long ago; the blob is young from now on.
      const now = new Date()
      await utimes(path, now, now)
      await renameInto(path, objectPath(this.#root, key))
      await this.#remove(id)
      return size
    } finally {
      lock.release()
    }
  }

  async abort(id: string): Promise<void> {
    this.#hashes.drop(id)
    // A request that still writes keeps a file without a name, which vanishes with it.
    await this.#remove(id)
  }

  async list({ after = '', limit = defaultPage }: ListOptions = {}): Promise<UploadPage> {
    const ids = (await readdir(uploadsPath(this.#root))).filter((id) => id > after).sort()
    const page = ids.slice(0, limit)
    const found = await Promise.all(page.map((id) => this.#findAny(id)))
    return {
      uploads: found.filter((upload) => upload !== undefined),
      next: ids.length > limit ? page.at(-1) : undefined,
    }
  }

  /** Also what a crash left between two steps: a folder without data, which only `abort` can do something with. */
  async #findAny(id: string): Promise<UploadInfo | undefined> {
    const found = await this.find(id)
    if (found !== undefined) return found
    try {
      const { mtime } = await stat(uploadPath(this.#root, id))
      return { id, sizeBytes: 0, modifiedAt: mtime }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  async #appendTo(
    file: FileHandle,
    id: string,
    offset: number,
    source: AsyncIterable<Buffer>,
    algorithm: DigestAlgorithm,
  ): Promise<number> {
    const { size } = await file.stat()
    if (offset !== size) throw offsetMismatch(offset, size)
    const path = uploadDataPath(this.#root, id)
    const writer = new ChunkWriter(file, size, (sizeBytes) => {
      if (sizeBytes > inlineBytes) this.#hashes.advance({ id, path, algorithm, sizeBytes })
    })
    try {
      for await (const chunk of source) await writer.write(chunk)
    } finally {
      // Also what came before a failure: a client that resumes need not send it again.
      await writer.flush()
    }
    return writer.sizeBytes
  }

  async #hash(file: FileHandle, id: string, sizeBytes: number, algorithm: DigestAlgorithm): Promise<string> {
    if (sizeBytes > inlineBytes) {
      return await this.#hashes.finish({ id, path: uploadDataPath(this.#root, id), algorithm, sizeBytes })
    }
    const bytes = Buffer.allocUnsafe(sizeBytes)
    const { bytesRead } = await file.read(bytes, 0, sizeBytes, 0)
    return hasherOf(algorithm).update(bytes.subarray(0, bytesRead)).digest('hex')
  }

  async #openData(id: string): Promise<FileHandle> {
    try {
      return await open(uploadDataPath(this.#root, id), 'r+')
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') throw uploadUnknown(id)
      throw error
    }
  }

  /** Waits a moment for a request before this one to end. */
  async #lock(id: string): Promise<Lock> {
    for (const deadline = Date.now() + lockWaitMs; ; await sleep(lockPollMs)) {
      try {
        return acquireLock(uploadLockPath(this.#root, id))
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') throw uploadUnknown(id)
        if (!isKind(error, 'conflict')) throw error
        if (Date.now() > deadline) throw uploadBusy(id, error)
      }
    }
  }

  async #remove(id: string): Promise<void> {
    try {
      await rm(uploadPath(this.#root, id), { recursive: true, force: true })
    } catch (error) {
      // A request that came just now made its lock file there; without data the upload is gone all the same.
      if (errnoOf(error) !== 'ENOTEMPTY') throw error
    }
  }
}
