/** Leases: what work in progress holds against garbage collection. A pull takes one, adds each blob and
 *  snapshot before it makes it, and releases it when an image refers to all of them. The owner names the
 *  daemon's run; leases of earlier runs belong to nobody and are dropped at boot. */
import { newId } from '../base/index.ts'
import type { LeaseResource, LeaseTable } from '../store/index.ts'

/** One hold. Releasing twice is no error. */
export interface Lease extends Disposable {
  readonly id: string
  /** Holds a resource, which need not exist yet. */
  add(resource: LeaseResource): void
  release(): void
}

export class Leases {
  readonly #table: LeaseTable
  readonly #owner: string

  constructor(table: LeaseTable, owner: string = newId()) {
    this.#table = table
    this.#owner = owner
  }

  /** A new lease that holds nothing yet. */
  create(): Lease {
    const id = newId()
    const table = this.#table
    table.insert({ id, owner: this.#owner, created: new Date() })
    const release = (): void => table.delete(id)
    return {
      id,
      add: (resource) => table.addResource(id, resource),
      release,
      [Symbol.dispose]: release,
    }
  }

  /** Drops the leases of other owners; gives how many there were. Called once at boot. */
  dropForeign(): number {
    return this.#table.deleteOthers(this.#owner)
  }

  /** True when some lease holds the resource. */
  holds(resource: LeaseResource): boolean {
    return this.#table.isHeld(resource)
  }

  /** Everything held of a kind, for a garbage collection. */
  held(kind: LeaseResource['kind']): ReadonlySet<string> {
    return new Set(this.#table.resources(kind))
  }
}
