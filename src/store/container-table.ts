import { BerthError, conflict, isKind } from '../base/index.ts'
import type { Database } from './database.ts'

/** Rows of containers. `R` is the record, which the container layer defines. */
export class ContainerTable<R extends { readonly id: string; readonly name: string }> {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Adds a container. Throws `conflict` when the id or name is taken. */
  insert(record: R): void {
    try {
      this.#db.run('INSERT INTO containers (id, name, record) VALUES (?, ?, ?)', record.id, record.name, toJson(record))
    } catch (cause) {
      if (isKind(cause, 'alreadyExists')) throw conflict(`container name or id in use: ${record.name}`, { cause })
      throw cause
    }
  }

  /** Replaces a container's record (and name). Throws `notFound` when it is gone, `conflict` when the name is taken. */
  update(record: R): void {
    let changes: number
    try {
      changes = this.#db.run(
        'UPDATE containers SET name = ?, record = ? WHERE id = ?',
        record.name,
        toJson(record),
        record.id,
      ).changes
    } catch (cause) {
      if (isKind(cause, 'alreadyExists')) throw conflict(`container name in use: ${record.name}`, { cause })
      throw cause
    }
    if (changes === 0) throw new BerthError('notFound', `no container ${record.id}`)
  }

  /** Removes a container; no error when there is none. */
  delete(id: string): void {
    this.#db.run('DELETE FROM containers WHERE id = ?', id)
  }

  /** Every container, as JSON text: the caller parses each one, so that one broken record does not hide the others. */
  all(): { readonly id: string; readonly name: string; readonly json: string }[] {
    return this.#db.all('SELECT id, name, record FROM containers').map((row) => ({
      id: String(row.id),
      name: String(row.name),
      json: String(row.record),
    }))
  }
}

function toJson(record: unknown): string {
  return JSON.stringify(record)
}
