/** Checks everything that is stored: blobs against their digests, records against blobs and layers, snapshots against
 *  their directories. Changes nothing. Pulls, removals and collections may go on, so each fault is checked once more
 *  before it is reported: the object may just have been removed. */
import { existsSync } from 'node:fs'
import type { StoreCheck, StoreProblem } from '../../api/index.ts'
import { type AbortOptions, isKind, messageOf } from '../../base/index.ts'
import type { LocalContentStore } from '../../content/index.ts'
import { algorithmOf, type Digest, familiarReference, parseManifestDocument } from '../../oci/index.ts'
import type { SnapshotInfo, Snapshotter } from '../../snapshots/index.ts'
import type { ImageRecord } from '../catalog/image.ts'
import type { ImageStore } from '../catalog/image-store.ts'
import type { ImageGarbage } from '../gc/collect-garbage.ts'
import type { LayerPool } from './layer-pool.ts'

/** What a check looks at. */
export interface CheckParts {
  readonly store: ImageStore
  readonly content: LocalContentStore
  readonly snapshots: Snapshotter
  readonly garbage: ImageGarbage
  readonly pool: LayerPool
  /** Containers, each with the key of its snapshot. */
  readonly containers: () => Iterable<{ readonly id: string; readonly key: string }>
}

/** Checks the whole store; hashing takes about a second per gigabyte. Throws the reason of `signal` when it fires. */
export async function checkStore(parts: CheckParts, { signal }: AbortOptions = {}): Promise<StoreCheck> {
  const check = new Check(parts)
  const unused = await parts.garbage.unused()
  const blobs = await check.blobs(signal)
  const images = await check.images()
  const references = await check.references()
  const snapshots = await check.snapshots()
  await check.containers()
  return {
    Checked: {
      Images: images,
      References: references,
      Blobs: blobs.count,
      BlobBytes: blobs.bytes,
      Snapshots: snapshots,
    },
    Problems: check.problems,
    Unused: { Blobs: unused.blobs, Layers: unused.chains, Unfinished: unused.ingests },
  }
}

class Check {
  readonly problems: StoreProblem[] = []
  readonly #parts: CheckParts

  constructor(parts: CheckParts) {
    this.#parts = parts
  }

  /** Checks that every blob hashes to its digest. */
  async blobs(signal: AbortSignal | undefined): Promise<{ readonly count: number; readonly bytes: number }> {
    let count = 0
    let bytes = 0
    for await (const { digest, sizeBytes } of this.#parts.content.walk()) {
      signal?.throwIfAborted()
      const found = await this.#hash(digest, sizeBytes, signal)
      if (found === undefined) continue
      count += 1
      bytes += sizeBytes
      if (found !== digest) this.#report('blob', digest, `its content hashes to ${found}`)
    }
    return { count, bytes }
  }

  /** Checks that every image has its config, its manifest, and the blobs and files of its layers. */
  async images(): Promise<number> {
    const records = [...this.#parts.store.records()]
    for (const record of records) {
      for (const message of await this.#faultsOf(record)) {
        if (this.#parts.store.findRecord(record.id) === record) this.#report('image', record.id, message)
      }
    }
    return records.length
  }

  /** Checks that every name stands for a stored image and a stored manifest or index. */
  async references(): Promise<number> {
    const { store, content } = this.#parts
    const names = [...store.names.all()]
    for (const { reference } of names) {
      const named = store.names.find(reference)
      if (named === undefined) continue
      const isHere = (await content.find(named.target.digest)) !== undefined
      // Look the name up again: it may have been removed or moved meanwhile.
      if (store.names.find(reference)?.target.digest !== named.target.digest) continue
      const name = familiarReference(reference)
      if (store.findRecord(named.imageId) === undefined) this.#report('reference', name, `no image ${named.imageId}`)
      if (!isHere) this.#report('reference', name, `no manifest ${named.target.digest}`)
    }
    return names.length
  }

  /** Checks that every snapshot has its directory and its parent. */
  async snapshots(): Promise<number> {
    const { snapshots } = this.#parts
    let count = 0
    for await (const snapshot of snapshots.walk()) {
      count += 1
      const message = await this.#faultOf(snapshot)
      if (message !== undefined && (await snapshots.find(snapshot.key)) !== undefined) {
        this.#report('snapshot', snapshot.key, message)
      }
    }
    return count
  }

  /** Checks that every container has its writable layer. */
  async containers(): Promise<void> {
    const { snapshots, containers } = this.#parts
    const has = (id: string) => [...containers()].some((container) => container.id === id)
    for (const { id, key } of containers()) {
      if ((await snapshots.find(key)) === undefined && has(id)) this.#report('container', id, 'its files are gone')
    }
  }

  #report(Kind: StoreProblem['Kind'], Name: string, Message: string): void {
    this.problems.push({ Kind, Name, Message })
  }

  /** The digest of the bytes in a blob's file; undefined when the blob was removed meanwhile. */
  async #hash(digest: Digest, sizeBytes: number, signal: AbortSignal | undefined): Promise<Digest | undefined> {
    const { content, pool } = this.#parts
    const source = { from: 'file', path: content.pathOf(digest), sizeBytes, algorithm: algorithmOf(digest) } as const
    try {
      return (await pool.run({ source }, { signal })).digest
    } catch (error) {
      if ((await content.find(digest)) === undefined || isKind(error, 'cancelled')) {
        signal?.throwIfAborted()
        return undefined
      }
      this.#report('blob', digest, `it can't be read: ${messageOf(error)}`)
      return undefined
    }
  }

  async #faultsOf(record: ImageRecord): Promise<string[]> {
    const { content, snapshots } = this.#parts
    const faults: string[] = []
    const need = async (what: string, digest: Digest) => {
      if ((await content.find(digest)) === undefined) faults.push(`no ${what} ${digest}`)
    }
    await need('config', record.id)
    await need('manifest', record.manifest.digest)
    for (const { digest } of record.attachments ?? []) await need('attestation', digest)
    for (const { blob, chainId } of record.layers) {
      await need('blob of a layer,', blob.digest)
      const layer = await snapshots.find(chainId)
      if (layer?.kind !== 'committed') faults.push(`no files of layer ${chainId}`)
    }
    const mismatch = await this.#manifestFault(record)
    return mismatch === undefined ? faults : [...faults, mismatch]
  }

  async #manifestFault({ id, manifest, layers }: ImageRecord): Promise<string | undefined> {
    const { content } = this.#parts
    if ((await content.find(manifest.digest)) === undefined) return undefined
    try {
      const document = parseManifestDocument(await content.read(manifest.digest), manifest.mediaType)
      if (document.type !== 'manifest') return `its manifest ${manifest.digest} is an index`
      const named = [document.manifest.config, ...document.manifest.layers].map(({ digest }) => digest)
      const own = [id, ...layers.map(({ blob }) => blob.digest)]
      return named.join() === own.join() ? undefined : `its manifest ${manifest.digest} lists other blobs`
    } catch (error) {
      return `its manifest ${manifest.digest} can't be read: ${messageOf(error)}`
    }
  }

  async #faultOf({ key, parent }: SnapshotInfo): Promise<string | undefined> {
    const { snapshots } = this.#parts
    if (parent !== undefined) {
      const below = await snapshots.find(parent)
      if (below === undefined) return `its parent ${parent} is missing`
      if (below.kind !== 'committed') return `its parent ${parent} is incomplete`
    }
    try {
      return existsSync(snapshots.directory(key)) ? undefined : 'its directory is gone'
    } catch (error) {
      if (isKind(error, 'notFound')) return undefined
      throw error
    }
  }
}
