import type { Database } from './database.ts'

/** Rows of cached build steps: `R` is the record's type, which the builder defines. */
export class BuildCacheTable<R extends { readonly key: string; readonly slot: string }> {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Adds a step, or replaces what was known of it. */
  put(record: R, inputs: Uint8Array | undefined): void {
    this.#db.run(
      'INSERT OR REPLACE INTO build_cache (key, slot, record, inputs) VALUES (?, ?, ?, ?)',
      record.key,
      record.slot,
      JSON.stringify(record),
      inputs ?? null,
    )
  }

  /** Replaces a record; its inputs stay. No error when there is none. */
  update(record: R): void {
    this.#db.run('UPDATE build_cache SET record = ? WHERE key = ?', JSON.stringify(record), record.key)
  }

  /** No error when it is gone. */
  delete(keys: Iterable<string>): void {
    this.#db.transaction(() => {
      for (const key of keys) this.#db.run('DELETE FROM build_cache WHERE key = ?', key)
    })
  }

  /** Every step, as text still to be parsed, so that a broken record harms no other. */
  all(): { readonly key: string; readonly json: string }[] {
    return this.#db.all('SELECT key, record FROM build_cache').map((row) => ({
      key: String(row.key),
      json: String(row.record),
    }))
  }

  /** What a step read, as it was put. */
  inputs(key: string): Uint8Array | undefined {
    const value = this.#db.get('SELECT inputs FROM build_cache WHERE key = ?', key)?.inputs
    return value instanceof Uint8Array ? value : undefined
  }
}
