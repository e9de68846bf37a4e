/** The results of earlier steps, by key. The records are in memory and in a table of the database, one row each. One
 *  lease keeps the layers and blobs of all records from the images' garbage collection. A record is written after its
 *  layer is complete, so a crash before that leaves only an unreferenced layer. */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { type Logger, messageOf } from '../../base/index.ts'
import type { Lease } from '../../content/index.ts'
import type { Holds, ImageParts } from '../../images/index.ts'
import type { Digest } from '../../oci/index.ts'
import type { Snapshotter } from '../../snapshots/index.ts'
import type { BuildCacheTable } from '../../store/index.ts'
import type { CacheRecord, StepInputs } from './cache-record.ts'

/** What the cache works with. */
export interface BuildCacheOptions {
  readonly table: BuildCacheTable<CacheRecord>
  readonly images: Pick<ImageParts, 'content' | 'leases' | 'garbage'>
  readonly snapshots: Snapshotter
  readonly logger: Logger
}

/** How many aliases one step keeps. */
const keptAliases = 4

/** The build cache. Only one process may use it at a time. */
export class BuildCache {
  readonly #options: BuildCacheOptions
  readonly #records = new Map<string, CacheRecord>()
  readonly #slots = new Map<string, string>()
  readonly #inUse = new Map<string, number>()
  /** Exists only while there is something to keep. */
  #lease: Lease | undefined

  private constructor(options: BuildCacheOptions) {
    this.#options = options
  }

  /** Reads all records and takes a lease on their layers. Records that can't be parsed are logged and deleted. */
  static open(options: BuildCacheOptions): BuildCache {
    const cache = new BuildCache(options)
    const broken: string[] = []
    for (const { key, json } of options.table.all()) {
      try {
        cache.#remember(Object.freeze(JSON.parse(json) as CacheRecord))
      } catch (error) {
        options.logger.warn('build cache record is broken and dropped', { key, error: messageOf(error) })
        broken.push(key)
      }
    }
    options.table.delete(broken)
    return cache
  }

  /** All records, in no particular order. */
  records(): Iterable<CacheRecord> {
    return this.#records.values()
  }

  /** The record with that key, even if its layer is missing. */
  get(key: string): CacheRecord | undefined {
    return this.#records.get(key)
  }

  /** The record with that key if its layer exists; `holds` then keeps the layer. A record whose layer is missing is
   *  removed. */
  async find(key: string, holds: Holds): Promise<CacheRecord | undefined> {
    const record = this.#records.get(key)
    if (record === undefined) return undefined
    // Take the hold first. Then a concurrent removal either sees the hold, or is finished before the check below.
    holds.addBlob(record.blob.digest)
    holds.addLayer(record.chainId)
    const { snapshots, images } = this.#options
    const isHere =
      (await snapshots.find(record.chainId)) !== undefined &&
      (await images.content.find(record.blob.digest)) !== undefined
    if (!isHere) {
      await this.remove([record])
      return undefined
    }
    const own = this.#records.get(record.of ?? '')
    if (own !== undefined) this.#noteUse(own)
    return this.#noteUse(record)
  }

  #noteUse(record: CacheRecord): CacheRecord {
    const used = Object.freeze({ ...record, lastUsedMs: Date.now(), uses: record.uses + 1 })
    this.#records.set(used.key, used)
    this.#options.table.update(used)
    return used
  }

  /** Adds the record of a step. Its layer must be complete. */
  put(record: CacheRecord, inputs: StepInputs | undefined): void {
    const frozen = Object.freeze(record)
    const packed = inputs === undefined ? undefined : zstdCompressSync(Buffer.from(JSON.stringify(inputs)))
    this.#options.table.put(frozen, packed)
    this.#remember(frozen)
    this.#dropAliases(frozen)
  }

  /** A step whose input files change often gets a new alias each time. Only the latest ones stay. */
  #dropAliases({ of }: CacheRecord): void {
    if (of === undefined) return
    const aliases = [...this.#records.values()].filter((record) => record.of === of)
    const old = aliases.sort((a, b) => b.lastUsedMs - a.lastUsedMs).slice(keptAliases)
    this.#options.table.delete(old.map(({ key }) => key))
    for (const { key } of old) this.#records.delete(key)
  }

  /** Notes that a build's step at this slot has this record. A later miss at the same slot is compared with it. */
  noteAt(slot: string, record: CacheRecord): void {
    const key = record.isAlias === true ? record.of : record.key
    if (key !== undefined && this.#records.has(key)) this.#slots.set(slot, key)
  }

  /** The record last made or found at this slot, with the inputs of its step. */
  last(slot: string): { readonly record: CacheRecord; readonly inputs: StepInputs } | undefined {
    const record = this.#records.get(this.#slots.get(slot) ?? '')
    const packed = record === undefined ? undefined : this.#options.table.inputs(record.key)
    if (record === undefined || packed === undefined) return undefined
    return { record, inputs: JSON.parse(zstdDecompressSync(packed).toString('utf8')) as StepInputs }
  }

  /** Marks a record as used by a running build until the result is disposed of. */
  use(key: string): Disposable {
    this.#inUse.set(key, (this.#inUse.get(key) ?? 0) + 1)
    return {
      [Symbol.dispose]: () => {
        const count = (this.#inUse.get(key) ?? 1) - 1
        if (count === 0) this.#inUse.delete(key)
        else this.#inUse.set(key, count)
      },
    }
  }

  /** True while a running build uses the record with that key. */
  isInUse(key: string): boolean {
    return this.#inUse.has(key)
  }

  /** Removes records, their aliases, and the layers that nothing else references. */
  async remove(chosen: readonly CacheRecord[]): Promise<void> {
    if (chosen.length === 0) return
    const keys = new Set(chosen.map(({ key }) => key))
    const aliases = [...this.#records.values()].filter(({ key, of = '' }) => keys.has(of) && !keys.has(key))
    const records = [...chosen, ...aliases]
    this.#options.table.delete(records.map(({ key }) => key))
    for (const { key } of records) this.#records.delete(key)
    for (const [slot, key] of this.#slots) if (!this.#records.has(key)) this.#slots.delete(slot)
    const old = this.#lease
    this.#lease = undefined
    for (const record of this.#records.values()) this.#hold(record)
    old?.release()
    const chains = new Set<Digest>()
    for (const { chainId } of records) for (const one of await this.#chainOf(chainId)) chains.add(one)
    await this.#options.images.garbage.discard(new Set(records.map(({ blob }) => blob.digest)), chains)
  }

  /** The layers of a stack, parents first. */
  async #chainOf(chainId: Digest): Promise<Digest[]> {
    const chain: Digest[] = []
    for (let next: string | undefined = chainId; next !== undefined; ) {
      const found = await this.#options.snapshots.find(next)
      if (found === undefined) break
      chain.unshift(next as Digest)
      next = found.parent
    }
    return chain
  }

  #remember(record: CacheRecord): void {
    this.#records.set(record.key, record)
    const last = this.#records.get(this.#slots.get(record.slot) ?? '')
    if (record.isAlias !== true && (last === undefined || last.createdMs <= record.createdMs)) {
      this.#slots.set(record.slot, record.key)
    }
    this.#hold(record)
  }

  #hold({ type, blob, chainId }: CacheRecord): void {
    if (type === 'exec.cachemount') return
    this.#lease ??= this.#options.images.leases.create()
    this.#lease.add({ kind: 'blob', key: blob.digest })
    this.#lease.add({ kind: 'snapshot', key: chainId })
  }
}
