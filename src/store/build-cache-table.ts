import type { Database } from './database.ts'

/** Rows of cached build steps. `R` is the record, which the builder defines. */
export class BuildCacheTable<R extends { readonly key: string; readonly slot: string }> {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Adds or replaces a step. `inputs` is what the step read, in the encoding of the builder. */
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

  /** Removes steps; no error when one is gone already. */
  delete(keys: Iterable<string>): void {
    this.#db.transaction(() => {
      for (const key of keys) this.#db.run('DELETE FROM build_cache WHERE key = ?', key)
    })
  }

  /** Every step, as JSON text: the caller parses each one, so that one broken record does not hide the others. */
  all(): { readonly key: string; readonly json: string }[] {
    return this.#db.all('SELECT key, record FROM build_cache').map((row) => ({
      key: String(row.key),
      json: String(row.record),
    }))
  }

  /** What `put` stored as the inputs of a step; undefined when there are none. */
  inputs(key: string): Uint8Array | undefined {
    const value = this.#db.get('SELECT inputs FROM build_cache WHERE key = ?', key)?.inputs
    return value instanceof Uint8Array ? value : undefined
  }
}
