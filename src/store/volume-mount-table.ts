import type { Database } from './database.ts'

/** Rows of which volume is mounted for which holder, which is a container. A row exists from before the mount until
 *  after the unmount. */
export class VolumeMountTable {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Adds a row; false when it exists already. */
  add(volume: string, holder: string): boolean {
    const sql = 'INSERT OR IGNORE INTO volume_mounts (holder, volume) VALUES (?, ?)'
    return this.#db.run(sql, holder, volume).changes > 0
  }

  /** Removes a row; no error when there is none. */
  delete(volume: string, holder: string): void {
    this.#db.run('DELETE FROM volume_mounts WHERE holder = ? AND volume = ?', holder, volume)
  }

  /** Names of the volumes that are mounted for a holder. */
  volumesOf(holder: string): string[] {
    return this.#db.all('SELECT volume FROM volume_mounts WHERE holder = ?', holder).map((row) => String(row.volume))
  }

  /** Every row, in no order. */
  all(): { readonly volume: string; readonly holder: string }[] {
    return this.#db
      .all('SELECT volume, holder FROM volume_mounts')
      .map((row) => ({ volume: String(row.volume), holder: String(row.holder) }))
  }
}
