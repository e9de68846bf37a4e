/** Leases keep garbage collection away from what work in progress needs. A pull takes a lease, adds each blob and
 *  snapshot before it makes it, and releases the lease when an image refers to all of them. The owner is one run of the
 *  daemon: the next boot drops the leases of earlier runs. */
import { newId } from '../base/index.ts'
import type { LeaseResource, LeaseTable } from '../store/index.ts'

/** A lease. Releasing it twice is no error. */
export interface Lease extends Disposable {
  readonly id: string
  /** Holds a resource, which need not exist yet. */
  add(resource: LeaseResource): void
  /** Ends the lease: nothing is held by it any more. */
  release(): void
}

/** Creates leases and answers what they hold. */
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

  /** Drops the leases of other owners and returns their number. Called once at boot. */
  dropForeign(): number {
    return this.#table.deleteOthers(this.#owner)
  }

  /** True when some lease holds the resource. */
  holds(resource: LeaseResource): boolean {
    return this.#table.isHeld(resource)
  }

  /** Keys of all held resources of a kind. */
  held(kind: LeaseResource['kind']): ReadonlySet<string> {
    return new Set(this.#table.resources(kind))
  }
}
