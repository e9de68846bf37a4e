/** An ingest in the file system: a directory with the key and the bytes (see paths.ts). */
import { createHash, type Hash } from 'node:crypto'
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { BerthError, conflict, internal } from '../base/index.ts'
import { type Digest, digestFromHex } from '../oci/index.ts'
import { writeFully } from '../sys/index.ts'
import type { BlobInfo, ExpectedBlob, Ingest } from './ingest.ts'
import { ingestDataPath, ingestKeyPath } from './paths.ts'

export interface LocalIngestOptions {
  readonly key: string
  readonly directory: string
  readonly hashing: boolean
  readonly blobPath: (digest: Digest) => string
  readonly onClose: () => void
}

export class LocalIngest implements Ingest {
  readonly #options: LocalIngestOptions
  readonly #fd: number
  #offset: number
  #hash: Hash | undefined
  #isOpen = true

  private constructor(options: LocalIngestOptions, fd: number) {
    this.#options = options
    this.#fd = fd
    this.#offset = fstatSync(fd).size
    if (options.hashing) this.#hash = hashFile(fd, this.#offset)
  }

  /** Opens the ingest's file. Bytes of an earlier attempt are hashed again, so that the digest covers them. */
  static async open(options: LocalIngestOptions): Promise<LocalIngest> {
    await mkdir(options.directory, { recursive: true, mode: 0o700 })
    await writeFile(ingestKeyPath(options.directory), options.key, { mode: 0o600 })
    const fd = openSync(ingestDataPath(options.directory), 'a+', 0o600)
    try {
      return new LocalIngest(options, fd)
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  get key(): string {
    return this.#options.key
  }

  get path(): string {
    return ingestDataPath(this.#options.directory)
  }

  get offset(): number {
    return this.#offset
  }

  write(chunk: Uint8Array): void {
    this.#checkOpen()
    writeFully(this.#fd, chunk)
    this.#offset += chunk.length
    this.#hash?.update(chunk)
  }

  restart(): void {
    this.#checkOpen()
    ftruncateSync(this.#fd, 0)
    this.#offset = 0
    if (this.#hash !== undefined) this.#hash = createHash('sha256')
  }

  async commit(expected: ExpectedBlob = {}, computed?: Digest): Promise<BlobInfo> {
    this.#checkOpen()
    const digest = this.#hash === undefined ? computed : digestFromHex(this.#hash.digest('hex'))
    if (digest === undefined) throw internal('an ingest that does not hash was committed without a digest')
    // If this ingest does not hash, a worker thread or another program may have written the file.
    const sizeBytes = this.#hash === undefined ? fstatSync(this.#fd).size : this.#offset
    const info: BlobInfo = { digest, sizeBytes }
    try {
      verifyBlob(info, expected)
      // If the same bytes are committed twice, the second rename replaces the file by an equal one.
      await rename(ingestDataPath(this.#options.directory), this.#options.blobPath(digest))
    } finally {
      await this.abort()
    }
    return info
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    closeSync(this.#fd)
    this.#options.onClose()
  }

  async abort(): Promise<void> {
    if (!this.#isOpen) return
    // The key stays taken until the files are deleted: a new ingest of the key would lose its own.
    this.#isOpen = false
    closeSync(this.#fd)
    try {
      await rm(this.#options.directory, { recursive: true, force: true })
    } finally {
      this.#options.onClose()
    }
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw conflict(`ingest ${this.key} is closed`)
  }
}

/** Throws `dataLoss` when a finished ingest is not what was expected. */
function verifyBlob(found: BlobInfo, expected: ExpectedBlob): void {
  if (expected.sizeBytes !== undefined && expected.sizeBytes !== found.sizeBytes) {
    throw new BerthError(
      'dataLoss',
      `size of ${expected.digest ?? found.digest} is ${found.sizeBytes} bytes, expected ${expected.sizeBytes}`,
    )
  }
  if (expected.digest !== undefined && expected.digest !== found.digest) {
    throw new BerthError('dataLoss', `digest is ${found.digest}, expected ${expected.digest}`)
  }
}

function hashFile(fd: number, sizeBytes: number): Hash {
  const hash = createHash('sha256')
  if (sizeBytes === 0) return hash
  const buffer = Buffer.allocUnsafe(1 << 20)
  for (let at = 0; at < sizeBytes; ) {
    const count = readSync(fd, buffer, 0, buffer.length, at)
    if (count === 0) break
    hash.update(buffer.subarray(0, count))
    at += count
  }
  return hash
}
