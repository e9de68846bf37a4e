/** The content store: blobs and ingests (see ingest.ts) as files below one directory. Apart from the keys that are open,
 *  nothing is held in memory, so worker threads open the same root and write their layers there themselves.
 *  Invariant: a file under `blobs/` is complete and verified, because only a rename makes it appear. There is no fsync:
 *  a power cut may damage a blob. Readers notice by the digest, and a pull replaces the blob. */
import { createReadStream, openSync } from 'node:fs'
import { mkdir, opendir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type BerthError, conflict, errnoOf, invalidArgument, notFound } from '../base/index.ts'
import { type Digest, type DigestAlgorithm, digestOf, hexOf, isDigest } from '../oci/index.ts'
import type { BlobInfo, Ingest, IngestOptions } from './ingest.ts'
import { LocalIngest } from './local-ingest.ts'
import { blobAlgorithms, blobPath, blobsPath, ingestPath, ingestsPath } from './paths.ts'
import { moveToDiscarded, UnfinishedIngests } from './unfinished-ingests.ts'

/** Manifests and configs are read whole. The limit keeps a hostile registry from filling the memory. */
const defaultReadLimitBytes = 16 * 1024 * 1024

/** Blobs in a directory, and the ingests that become blobs. */
export class LocalContentStore {
  /** The ingests that have not become blobs. */
  readonly unfinished: UnfinishedIngests
  readonly #root: string
  readonly #openKeys = new Set<string>()

  private constructor(root: string) {
    this.#root = root
    this.unfinished = new UnfinishedIngests(root, this.#openKeys)
  }

  /** Opens the store at `root` and makes its directories. */
  static async open(root: string): Promise<LocalContentStore> {
    for (const algorithm of blobAlgorithms) {
      await mkdir(blobsPath(root, algorithm), { recursive: true, mode: 0o700 })
    }
    await mkdir(ingestsPath(root), { recursive: true, mode: 0o700 })
    return new LocalContentStore(root)
  }

  /** The path of the blob's file, whether it exists or not. */
  pathOf(digest: Digest): string {
    return blobPath(this.#root, digest)
  }

  /** Digest and size of a blob, or undefined when it is not stored. */
  async find(digest: Digest): Promise<BlobInfo | undefined> {
    try {
      const { size } = await stat(this.pathOf(digest))
      return { digest, sizeBytes: size }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  /** The bytes of a blob. Throws `notFound`, and `invalidArgument` for a blob larger than `maxBytes` (default 16 MiB). */
  async read(digest: Digest, maxBytes: number = defaultReadLimitBytes): Promise<Buffer> {
    const found = await this.find(digest)
    if (found === undefined) throw blobNotFound(digest)
    if (found.sizeBytes > maxBytes) {
      throw invalidArgument(`blob ${digest} has ${found.sizeBytes} bytes, at most ${maxBytes} are read`)
    }
    return await readFile(this.pathOf(digest))
  }

  /** The bytes of a blob as a stream, from the offset `start` on. A missing blob fails the stream with `notFound`. */
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

  /** Stores these bytes as a blob; no error when it exists. The digest uses sha256 unless `algorithm` names another one. */
  async put(bytes: Uint8Array, algorithm?: DigestAlgorithm): Promise<Digest> {
    const digest = digestOf(bytes, algorithm)
    if ((await this.find(digest)) !== undefined) return digest
    const temporary = join(ingestsPath(this.#root), `put-${digest.slice(7, 27)}-${process.hrtime.bigint()}`)
    await writeFile(temporary, bytes, { mode: 0o600 })
    await rename(temporary, this.pathOf(digest))
    return digest
  }

  /** Begins the ingest of that key, or resumes it. Throws `conflict` while it is open. */
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

  /** Removes a blob; no error when it is not stored. It is gone at once; its space is freed before the promise settles. */
  async delete(digest: Digest): Promise<void> {
    const discarded = moveToDiscarded(this.#root, this.pathOf(digest), hexOf(digest).slice(0, 20))
    if (discarded !== undefined) await unlink(discarded)
  }

  /** Every blob, in no order. */
  async *walk(): AsyncIterable<BlobInfo> {
    for (const algorithm of blobAlgorithms) {
      for await (const { name } of await opendir(blobsPath(this.#root, algorithm))) {
        const digest = `${algorithm}:${name}`
        if (!isDigest(digest)) continue
        // It may have been deleted meanwhile.
        const found = await this.find(digest)
        if (found !== undefined) yield found
      }
    }
  }
}

function blobNotFound(digest: Digest): BerthError {
  return notFound(`no blob ${digest}`)
}
