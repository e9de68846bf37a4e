import type { Database } from './database.ts'

/** A blob or snapshot that a lease holds. */
export interface LeaseResource {
  readonly kind: 'blob' | 'snapshot'
  /** A blob's digest, a snapshot's key or name. */
  readonly key: string
}

/** A lease. */
export interface LeaseRow {
  readonly id: string
  /** Id of the daemon run that made it. */
  readonly owner: string
  readonly created: Date
}

/** Rows of leases and of what they hold. */
export class LeaseTable {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Adds a lease that holds nothing yet. */
  insert(lease: LeaseRow): void {
    this.#db.run(
      'INSERT INTO leases (id, created, owner) VALUES (?, ?, ?)',
      lease.id,
      lease.created.toISOString(),
      lease.owner,
    )
  }

  /** Removes a lease and its holds; no error when it is gone. */
  delete(id: string): void {
    this.#db.run('DELETE FROM leases WHERE id = ?', id)
  }

  /** Removes the leases of all other owners; returns their number. */
  deleteOthers(owner: string): number {
    return this.#db.run('DELETE FROM leases WHERE owner <> ?', owner).changes
  }

  /** Holds a resource; holding it twice is no error. */
  addResource(leaseId: string, { kind, key }: LeaseResource): void {
    this.#db.run(
      'INSERT INTO lease_resources (lease_id, kind, key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      leaseId,
      kind,
      key,
    )
  }

  /** True when some lease holds the resource. */
  isHeld({ kind, key }: LeaseResource): boolean {
    return this.#db.get('SELECT 1 FROM lease_resources WHERE kind = ? AND key = ? LIMIT 1', kind, key) !== undefined
  }

  /** Keys of all held resources of a kind. */
  resources(kind: LeaseResource['kind']): string[] {
    return this.#db.all('SELECT DISTINCT key FROM lease_resources WHERE kind = ?', kind).map((row) => String(row.key))
  }
}
