import { conflict, isKind } from '../base/index.ts'
import type { Database } from './database.ts'

/** Rows of networks. `N` is the record, which the network layer defines. */
export class NetworkTable<N extends { readonly id: string; readonly name: string }> {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** All changes that `work` makes are kept, or none. */
  transaction<T>(work: () => T): T {
    return this.#db.transaction(work)
  }

  /** Adds or replaces a network. Throws `conflict` when another one has the name. */
  put(record: N): void {
    try {
      this.#db.run(
        'INSERT INTO networks (id, name, record) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, record = excluded.record',
        record.id,
        record.name,
        JSON.stringify(record),
      )
    } catch (cause) {
      if (isKind(cause, 'alreadyExists')) throw conflict(`network name in use: ${record.name}`, { cause })
      throw cause
    }
  }

  /** Removes a network; no error when there is none. */
  delete(id: string): void {
    this.#db.run('DELETE FROM networks WHERE id = ?', id)
  }

  /** Every network, as JSON text: the caller parses each one, so that one broken record does not hide the others. */
  all(): { readonly id: string; readonly name: string; readonly json: string }[] {
    return this.#db.all('SELECT id, name, record FROM networks').map((row) => ({
      id: String(row.id),
      name: String(row.name),
      json: String(row.record),
    }))
  }
}
