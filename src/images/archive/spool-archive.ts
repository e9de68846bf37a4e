/** First half of a load: reads the archive's stream once. Small members stay in memory. Large ones go to files; those
 *  that may be layers are unpacked by workers while they arrive. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { decompress, decompressUpload, readTar, type TarMember } from '../../archive/index.ts'
import { type AbortOptions, BerthError, invalidArgument } from '../../base/index.ts'
import type { Ingest, LocalContentStore } from '../../content/index.ts'
import { type Digest, digestFromHex } from '../../oci/index.ts'
import { newStreamIngestKey } from '../catalog/ingest-keys.ts'
import { FileGrowth, growthStepBytes } from '../layers/growing-file.ts'
import type { LayerJobProgress, LayerResult } from '../layers/layer-job.ts'
import type { LayerPool } from '../layers/layer-pool.ts'
import type { LayerStack, StagedLayer } from '../layers/layer-stack.ts'

/** How to read an archive, and where to. */
export interface SpoolOptions extends AbortOptions {
  readonly content: LocalContentStore
  readonly layers: LayerStack
  readonly pool: LayerPool
  readonly onProgress: (path: string, progress: LayerJobProgress) => void
}

/** A member that was written to a file. */
export interface SpooledFile {
  readonly ingest: Ingest
  readonly staged: StagedLayer
  /** Rejects when the member is not a layer. */
  readonly result: Promise<LayerResult>
}

/** Members up to this size stay in memory: manifests, configs, tiny layers. */
const maxSmallBytes = 1 << 20
const maxSmallTotalBytes = 64 << 20
const maxMembers = 100_000
const maxLinks = 8

/** An archive that was read to its end. */
export class SpooledArchive implements AsyncDisposable {
  readonly #small = new Map<string, Buffer>()
  readonly #files = new Map<string, SpooledFile>()
  readonly #links = new Map<string, string>()
  readonly #layers: LayerStack
  #smallBytes = 0

  private constructor(layers: LayerStack) {
    this.#layers = layers
  }

  /** Reads a stream, compressed or not. Throws `invalidArgument` for a damaged archive. */
  static async read(source: Readable, options: SpoolOptions): Promise<SpooledArchive> {
    const archive = new SpooledArchive(options.layers)
    try {
      const data = await decompressUpload(source as AsyncIterable<Buffer>, { signal: options.signal })
      let members = 0
      for await (const member of readTar(data)) {
        options.signal?.throwIfAborted()
        members += 1
        if (members > maxMembers) throw invalidArgument('archive has too many members')
        await archive.#take(member, options)
      }
      return archive
    } catch (error) {
      await archive[Symbol.asyncDispose]()
      throw options.signal?.aborted === true ? new BerthError('cancelled', 'context canceled', { cause: error }) : error
    }
  }

  /** The bytes of a small member; undefined for a large or missing one. */
  small(path: string): Buffer | undefined {
    return this.#small.get(this.realPath(path))
  }

  /** The file of a large member; undefined for a small or missing one. */
  file(path: string): SpooledFile | undefined {
    return this.#files.get(this.realPath(path))
  }

  /** The path with links followed. It is equal for two names of one member. */
  realPath(path: string): string {
    let found = normalPath(path)
    for (let hops = 0; hops < maxLinks; hops += 1) {
      const next = this.#links.get(found)
      if (next === undefined) return found
      found = next
    }
    return found
  }

  /** The digest of a member's uncompressed bytes; undefined when there is no such member. */
  async diffIdOf(path: string): Promise<Digest | undefined> {
    const file = this.file(path)
    if (file !== undefined) return (await file.result).unpacked?.diffId
    const bytes = this.small(path)
    if (bytes === undefined) return undefined
    const hash = createHash('sha256')
    for await (const chunk of (await decompress(Readable.from([bytes]))).data) hash.update(chunk)
    return digestFromHex(hash.digest('hex'))
  }

  /** Deletes the members that were not used. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { ingest, staged, result } of this.#files.values()) {
      await result.catch(() => {}) // A worker may still write into the directory.
      await ingest.abort()
      await this.#layers.unstage(staged)
    }
  }

  async #take({ entry, body }: TarMember, options: SpoolOptions): Promise<void> {
    const path = normalPath(entry.path)
    if (entry.type === 'symlink') this.#links.set(path, normalPath(`${path}/../${entry.linkPath}`))
    if (entry.type === 'link') this.#links.set(path, normalPath(entry.linkPath))
    if (entry.type !== 'file') return
    if (entry.sizeBytes > maxSmallBytes || this.#smallBytes + entry.sizeBytes > maxSmallTotalBytes) {
      return await this.#spool(path, entry.sizeBytes, body, options)
    }
    const chunks: Buffer[] = []
    for await (const chunk of body) chunks.push(chunk)
    this.#smallBytes += entry.sizeBytes
    this.#small.set(path, Buffer.concat(chunks))
  }

  async #spool(path: string, sizeBytes: number, body: AsyncIterable<Buffer>, options: SpoolOptions): Promise<void> {
    const ingest = await options.content.ingest(newStreamIngestKey(), { hashing: false })
    const staged = await options.layers.stage()
    const growth = new FileGrowth({ stepBytes: growthStepBytes })
    const source = { from: 'file', path: ingest.path, sizeBytes, growth: growth.shared } as const
    const result = options.pool.run(
      { source, targetDir: staged.directory },
      { signal: options.signal, onProgress: (progress) => options.onProgress(path, progress) },
    )
    result.catch(() => {}) // Looked at when the manifest names this member.
    this.#files.set(path, { ingest, staged, result })
    try {
      for await (const chunk of body) {
        ingest.write(chunk)
        growth.advance(ingest.offset)
      }
      growth.complete()
    } catch (error) {
      growth.fail()
      throw error
    }
  }
}

/** A member's path without `.`, `..` and double slashes. It is the key of a map, never the path of a file. */
function normalPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}
