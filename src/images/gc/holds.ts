/** What work that makes images has touched: held against garbage collection while it lasts, and remembered, so that
 *  what no image came to need can go right after it. */
import type { Lease, Leases } from '../../content/index.ts'
import type { Digest } from '../../oci/index.ts'

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

  /** In the order in which they were added: parents first. */
  get chainIds(): ReadonlySet<Digest> {
    return this.#chainIds
  }

  /** To be called before the blob is made or relied on. */
  addBlob(digest: Digest): void {
    if (this.#blobs.has(digest)) return
    this.#blobs.add(digest)
    this.#lease.add({ kind: 'blob', key: digest })
  }

  /** The same for a layer's snapshot. */
  addLayer(chainId: Digest): void {
    if (this.#chainIds.has(chainId)) return
    this.#chainIds.add(chainId)
    this.#lease.add({ kind: 'snapshot', key: chainId })
  }

  [Symbol.dispose](): void {
    this.#lease.release()
  }
}
