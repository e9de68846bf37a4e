/** ContentStore in memory, for tests of what stands above it. */
import { Readable } from 'node:stream'
import { conflict, internal } from '../base/index.ts'
import { type Digest, type DigestAlgorithm, digestOf } from '../oci/index.ts'
import {
  type BlobInfo,
  type ContentStore,
  defaultReadLimitBytes,
  type ExpectedBlob,
  type Ingest,
  type IngestInfo,
  type IngestOptions,
} from './content-store.ts'
import { blobNotFound, checkReadLimit, verifyBlob } from './verify-blob.ts'

export class MemoryContentStore implements ContentStore {
  readonly #blobs = new Map<Digest, Buffer>()
  readonly #ingests = new Map<string, { chunks: Buffer[]; updated: Date }>()
  readonly #openKeys = new Set<string>()

  async find(digest: Digest): Promise<BlobInfo | undefined> {
    const bytes = this.#blobs.get(digest)
    return bytes === undefined ? undefined : { digest, sizeBytes: bytes.length }
  }

  async info(digest: Digest): Promise<BlobInfo> {
    return { digest, sizeBytes: this.#bytes(digest).length }
  }

  async read(digest: Digest, maxBytes: number = defaultReadLimitBytes): Promise<Buffer> {
    checkReadLimit(await this.info(digest), maxBytes)
    return Buffer.from(this.#bytes(digest))
  }

  open(digest: Digest, { start = 0 }: { readonly start?: number } = {}): Readable {
    const bytes = this.#blobs.get(digest)
    if (bytes !== undefined) return Readable.from([Buffer.from(bytes.subarray(start))])
    return new Readable({ read() {} }).destroy(blobNotFound(digest))
  }

  async put(bytes: Uint8Array, algorithm?: DigestAlgorithm): Promise<Digest> {
    const digest = digestOf(bytes, algorithm)
    this.#blobs.set(digest, Buffer.from(bytes))
    return digest
  }

  async ingest(key: string, { hashing = true }: IngestOptions = {}): Promise<Ingest> {
    if (this.#openKeys.has(key)) throw conflict(`ingest ${key} is open already`)
    this.#openKeys.add(key)
    const state = this.#ingests.get(key) ?? { chunks: [], updated: new Date() }
    this.#ingests.set(key, state)
    return new MemoryIngest(key, state, {
      hashing,
      store: (bytes) => this.put(bytes),
      end: (drop) => {
        this.#openKeys.delete(key)
        if (drop) this.#ingests.delete(key)
      },
    })
  }

  async abort(key: string): Promise<void> {
    if (this.#openKeys.has(key)) throw conflict(`ingest ${key} is open`)
    this.#ingests.delete(key)
  }

  async delete(digest: Digest): Promise<void> {
    this.#blobs.delete(digest)
  }

  async *walk(): AsyncIterable<BlobInfo> {
    for (const [digest, bytes] of [...this.#blobs]) yield { digest, sizeBytes: bytes.length }
  }

  async *ingests(): AsyncIterable<IngestInfo> {
    for (const [key, { chunks, updated }] of [...this.#ingests]) yield { key, sizeBytes: sum(chunks), updated }
  }

  #bytes(digest: Digest): Buffer {
    const bytes = this.#blobs.get(digest)
    if (bytes === undefined) throw blobNotFound(digest)
    return bytes
  }
}

interface MemoryIngestOptions {
  readonly hashing: boolean
  readonly store: (bytes: Buffer) => Promise<Digest>
  readonly end: (drop: boolean) => void
}

class MemoryIngest implements Ingest {
  readonly key: string
  readonly #state: { chunks: Buffer[]; updated: Date }
  readonly #options: MemoryIngestOptions
  #isOpen = true

  constructor(key: string, state: { chunks: Buffer[]; updated: Date }, options: MemoryIngestOptions) {
    this.key = key
    this.#state = state
    this.#options = options
  }

  get offset(): number {
    return sum(this.#state.chunks)
  }

  write(chunk: Uint8Array): void {
    this.#checkOpen()
    this.#state.chunks.push(Buffer.from(chunk))
    this.#state.updated = new Date()
  }

  restart(): void {
    this.#checkOpen()
    this.#state.chunks = []
  }

  async commit(expected: ExpectedBlob = {}, computed?: Digest): Promise<BlobInfo> {
    this.#checkOpen()
    const bytes = Buffer.concat(this.#state.chunks)
    const digest = this.#options.hashing ? digestOf(bytes) : computed
    if (digest === undefined) throw internal('an ingest that does not hash was committed without a digest')
    const info = { digest, sizeBytes: bytes.length }
    try {
      verifyBlob(info, expected)
      await this.#options.store(bytes)
    } finally {
      await this.abort()
    }
    return info
  }

  close(): void {
    this.#end(false)
  }

  async abort(): Promise<void> {
    this.#end(true)
  }

  #end(drop: boolean): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#options.end(drop)
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw conflict(`ingest ${this.key} is closed`)
  }
}

function sum(chunks: readonly Buffer[]): number {
  return chunks.reduce((total, chunk) => total + chunk.length, 0)
}
