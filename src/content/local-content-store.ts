/** ContentStore in a directory. Nothing is held in memory, so that worker threads open the same root and
 *  write their layers there themselves.
 *  Invariant: a file under `blobs/` is complete and verified, for only a rename makes it appear. There is no
 *  fsync: after a power cut a blob may be damaged; its digest tells, and a pull brings it back. */
import { createReadStream, openSync, renameSync } from 'node:fs'
import { mkdir, open, opendir, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { conflict, errnoOf } from '../base/index.ts'
import { type Digest, type DigestAlgorithm, digestOf, hexOf, isDigest } from '../oci/index.ts'
import {
  type BlobInfo,
  type ContentStore,
  defaultReadLimitBytes,
  type Ingest,
  type IngestInfo,
  type IngestOptions,
} from './content-store.ts'
import { LocalIngest } from './local-ingest.ts'
import { blobAlgorithms, blobPath, blobsPath, ingestDataPath, ingestKeyPath, ingestPath, ingestsPath } from './paths.ts'
import { blobNotFound, checkReadLimit } from './verify-blob.ts'

/** Other entries beside the ingests are being put or removed. */
const ingestName = /^[0-9a-f]{64}$/

export class LocalContentStore implements ContentStore {
  readonly #root: string
  readonly #openKeys = new Set<string>()

  private constructor(root: string) {
    this.#root = root
  }

  /** Opens the store at `root`, making its directories. */
  static async open(root: string): Promise<LocalContentStore> {
    for (const algorithm of blobAlgorithms) {
      await mkdir(blobsPath(root, algorithm), { recursive: true, mode: 0o700 })
    }
    await mkdir(ingestsPath(root), { recursive: true, mode: 0o700 })
    return new LocalContentStore(root)
  }

  /** Where the blob's file is or would be. */
  pathOf(digest: Digest): string {
    return blobPath(this.#root, digest)
  }

  async find(digest: Digest): Promise<BlobInfo | undefined> {
    try {
      const { size } = await stat(this.pathOf(digest))
      return { digest, sizeBytes: size }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  async info(digest: Digest): Promise<BlobInfo> {
    const found = await this.find(digest)
    if (found === undefined) throw blobNotFound(digest)
    return found
  }

  async read(digest: Digest, maxBytes: number = defaultReadLimitBytes): Promise<Buffer> {
    checkReadLimit(await this.info(digest), maxBytes)
    return await readFile(this.pathOf(digest))
  }

  open(digest: Digest, { start = 0 }: { readonly start?: number } = {}): Readable {
    let fd: number
    try {
      fd = openSync(this.pathOf(digest), 'r')
    } catch (error) {
      const failure = errnoOf(error) === 'ENOENT' ? blobNotFound(digest) : (error as Error)
      return new Readable({ read() {} }).destroy(failure)
    }
    return createReadStream('', { fd, start, highWaterMark: 256 * 1024 })
  }

  async put(bytes: Uint8Array, algorithm?: DigestAlgorithm): Promise<Digest> {
    const digest = digestOf(bytes, algorithm)
    if ((await this.find(digest)) !== undefined) return digest
    const temporary = join(ingestsPath(this.#root), `put-${digest.slice(7, 27)}-${process.hrtime.bigint()}`)
    await writeFile(temporary, bytes, { mode: 0o600 })
    await rename(temporary, this.pathOf(digest))
    return digest
  }

  async ingest(key: string, { hashing = true }: IngestOptions = {}): Promise<Ingest> {
    if (this.#openKeys.has(key)) throw conflict(`ingest ${key} is open already`)
    this.#openKeys.add(key)
    try {
      return await LocalIngest.open({
        key,
        directory: ingestPath(this.#root, key),
        hashing,
        blobPath: (digest) => this.pathOf(digest),
        onClose: () => this.#openKeys.delete(key),
      })
    } catch (error) {
      this.#openKeys.delete(key)
      throw error
    }
  }

  async abort(key: string): Promise<void> {
    if (this.#openKeys.has(key)) throw conflict(`ingest ${key} is open`)
    const discarded = this.#takeAway(ingestPath(this.#root, key), 'ingest')
    if (discarded !== undefined) await rm(discarded, { recursive: true, force: true })
  }

  async delete(digest: Digest): Promise<void> {
    const discarded = this.#takeAway(this.pathOf(digest), hexOf(digest).slice(0, 20))
    if (discarded !== undefined) await unlink(discarded)
  }

  /** Gone at once, which whoever asks next can rely on; giving back the space of much takes time. Undefined when it is
   *  not there. What a crash leaves of it, `dropBroken` takes. */
  #takeAway(path: string, name: string): string | undefined {
    const discarded = join(ingestsPath(this.#root), `deleted-${name}-${process.hrtime.bigint()}`)
    try {
      renameSync(path, discarded)
      return discarded
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  async *walk(): AsyncIterable<BlobInfo> {
    for (const algorithm of blobAlgorithms) {
      for await (const { name } of await opendir(blobsPath(this.#root, algorithm))) {
        const digest = `${algorithm}:${name}`
        if (!isDigest(digest)) continue
        // It may be deleted meanwhile.
        const found = await this.find(digest)
        if (found !== undefined) yield found
      }
    }
  }

  /** For the boot, when no work is under way: removes what a crash left of puts, of removals, and of
   *  ingests that had just begun. */
  async dropBroken(): Promise<void> {
    const directory = ingestsPath(this.#root)
    for (const name of await readdir(directory)) {
      const path = join(directory, name)
      if (!ingestName.test(name) || (await readIngest(path)) === undefined)
        await rm(path, { recursive: true, force: true })
    }
  }

  async *ingests(): AsyncIterable<IngestInfo> {
    for await (const { name } of await opendir(ingestsPath(this.#root))) {
      const found = ingestName.test(name) ? await readIngest(join(ingestsPath(this.#root), name)) : undefined
      if (found !== undefined) yield found
    }
  }
}

/** Facts of an ingest; undefined when it ends meanwhile or is what a crash left of a `put`. */
async function readIngest(directory: string): Promise<IngestInfo | undefined> {
  try {
    const key = await readFile(ingestKeyPath(directory), 'utf8')
    await using data = await open(ingestDataPath(directory))
    const { size, mtime } = await data.stat()
    return { key, sizeBytes: size, updated: mtime }
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
