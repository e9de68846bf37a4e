/** Uploads as growing files. A kernel lock on each file lets only one request at a time work on it, in any process;
 *  the lock ends with its process. Worker threads read bodies from their connections and hash them. Bodies that arrive
 *  through this thread are hashed by the same threads after they were written. */
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf } from '../../../../base/index.ts'
import { tryLockFile } from '../../../../sys/index.ts'
import { algorithmOf, type BlobDigest, type DigestAlgorithm, hasherOf, hexOfBlob } from '../../model/blob-digest.ts'
import type {
  AppendOptions,
  ConnectionBody,
  ListOptions,
  Received,
  UploadInfo,
  UploadPage,
  UploadStorage,
} from '../registry-storage.ts'
import { digestMismatch, offsetMismatch, uploadBusy, uploadUnknown } from '../storage-errors.ts'
import { ChunkWriter } from '../transfer/chunk-writer.ts'
import { EarlyWriteback } from '../transfer/early-writeback.ts'
import type { UploadThreads } from '../transfer/upload-threads.ts'
import { renameInto } from './durable-file.ts'
import { objectPath, uploadDataPath, uploadPath, uploadsPath } from './folder-paths.ts'

/** How long a request waits for an earlier one on the same upload. If a client's connection broke, its old request ends
 *  within this time. */
const lockWaitMs = 3_000
const lockPollMs = 25
/** Uploads up to this size are hashed in this thread, because asking another one takes longer. */
const inlineBytes = 512 * 1024
/** A thread is asked to hash at least this much at once. */
const hashStepBytes = 1024 * 1024
const defaultPage = 1000

export class FolderUploads implements UploadStorage {
  readonly #root: string
  readonly #threads: UploadThreads

  constructor(root: string, threads: UploadThreads) {
    this.#root = root
    this.#threads = threads
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
    const file = await this.#openLocked(id)
    try {
      return await this.#appendTo(file, id, offset, source, algorithm)
    } finally {
      await file.close()
    }
  }

  async receive(
    id: string,
    offset: number,
    body: ConnectionBody,
    { algorithm = 'sha256' }: AppendOptions = {},
  ): Promise<Received> {
    const file = await this.#openLocked(id)
    try {
      const { size } = await file.stat()
      if (offset !== size) throw offsetMismatch(offset, size)
      const target = { id, path: uploadDataPath(this.#root, id), algorithm, sizeBytes: size }
      const writeback = new EarlyWriteback(file, size)
      const onWritten = (fileBytes: number) => {
        body.onReceived(fileBytes - size)
        writeback.reached(fileBytes)
      }
      try {
        const { bodyBytes, rest } = await this.#threads.receive({ target, file: file.fd, body, onWritten })
        return { sizeBytes: size + bodyBytes, rest }
      } finally {
        await writeback.settle()
      }
    } finally {
      await file.close()
    }
  }

  async commit(id: string, key: string, digest: BlobDigest): Promise<number> {
    const file = await this.#openLocked(id)
    try {
      const path = uploadDataPath(this.#root, id)
      const { size } = await file.stat()
      const [actual] = await Promise.all([this.#hash(file, id, size, algorithmOf(digest)), file.datasync()])
      if (actual !== hexOfBlob(digest)) throw digestMismatch(digest, `${algorithmOf(digest)}:${actual}`)
      // The bytes may have arrived long ago, but the blob is new.
      const now = new Date()
      await file.utimes(now, now)
      await renameInto(path, objectPath(this.#root, key))
      await this.#remove(id)
      return size
    } finally {
      await file.close()
    }
  }

  async abort(id: string): Promise<void> {
    this.#threads.drop(id)
    // A request that is still writing keeps the deleted file open; the file vanishes with the request.
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

  /** Like `find`, but also finds a folder without data, which a crash between two steps left. Only `abort` can use
   *  it. */
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
    let told = size
    const writer = new ChunkWriter(file, size, (sizeBytes) => {
      if (sizeBytes - told < hashStepBytes) return
      told = sizeBytes
      this.#threads.advance({ id, path, algorithm, sizeBytes })
    })
    try {
      for await (const chunk of source) await writer.write(chunk)
    } finally {
      // Also after a failure, so that a client that resumes need not send these bytes again.
      await writer.flush()
    }
    return writer.sizeBytes
  }

  async #hash(file: FileHandle, id: string, sizeBytes: number, algorithm: DigestAlgorithm): Promise<string> {
    if (sizeBytes > inlineBytes) {
      return await this.#threads.finish({ id, path: uploadDataPath(this.#root, id), algorithm, sizeBytes })
    }
    const bytes = Buffer.allocUnsafe(sizeBytes)
    const { bytesRead } = await file.read(bytes, 0, sizeBytes, 0)
    return hasherOf(algorithm).update(bytes.subarray(0, bytesRead)).digest('hex')
  }

  /** Opens an upload's file and locks it until it is closed. Waits a moment for an earlier request. Rejects with
   *  `notFound` or `conflict`. */
  async #openLocked(id: string): Promise<FileHandle> {
    const path = uploadDataPath(this.#root, id)
    for (const deadline = Date.now() + lockWaitMs; ; await sleep(lockPollMs)) {
      const file = await openData(path, id)
      let isOurs = false
      try {
        // The earlier request may have committed or aborted the upload between the opening and the lock.
        isOurs = tryLockFile(file.fd) && (await isAt(file, path))
      } finally {
        if (!isOurs) await file.close()
      }
      if (isOurs) return file
      if (Date.now() > deadline) throw uploadBusy(id)
    }
  }

  async #remove(id: string): Promise<void> {
    await rm(uploadPath(this.#root, id), { recursive: true, force: true })
  }
}

async function openData(path: string, id: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw uploadUnknown(id)
    throw error
  }
}

async function isAt(file: FileHandle, path: string): Promise<boolean> {
  const [{ ino }, found] = await Promise.all([
    file.stat(),
    stat(path).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error
    }),
  ])
  return found?.ino === ino
}
