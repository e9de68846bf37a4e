/** Remembers the blobs and layers that work on an image touches. A lease keeps them while the work lasts. Afterwards,
 *  the ones that no image needs can be removed at once. */
import type { Lease, Leases } from '../../content/index.ts'
import type { Digest } from '../../oci/index.ts'

/** A lease that knows what it holds. */
export class Holds implements Disposable {
  readonly #lease: Lease
  readonly #blobs = new Set<Digest>()
  readonly #chainIds = new Set<Digest>()

  constructor(leases: Leases) {
    this.#lease = leases.create()
  }

  get blobs(): ReadonlySet<Digest> {
    return this.#blobs
  }

  /** In the order of `addLayer`: parents first. */
  get chainIds(): ReadonlySet<Digest> {
    return this.#chainIds
  }

  /** Holds a blob. Call it before the blob is made or relied on. */
  addBlob(digest: Digest): void {
    if (this.#blobs.has(digest)) return
    this.#blobs.add(digest)
    this.#lease.add({ kind: 'blob', key: digest })
  }

  /** Holds a layer's snapshot. Call it before the layer is made or relied on. */
  addLayer(chainId: Digest): void {
    if (this.#chainIds.has(chainId)) return
    this.#chainIds.add(chainId)
    this.#lease.add({ kind: 'snapshot', key: chainId })
  }

  [Symbol.dispose](): void {
    this.#lease.release()
  }
}
