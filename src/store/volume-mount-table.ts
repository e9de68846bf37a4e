import type { Database } from './database.ts'

/** For whom volumes are mounted that have to be: a row is there from before the mount until after the unmount. */
export class VolumeMountTable {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** False when it is noted already. */
  add(volume: string, holder: string): boolean {
    const sql = 'INSERT OR IGNORE INTO volume_mounts (holder, volume) VALUES (?, ?)'
    return this.#db.run(sql, holder, volume).changes > 0
  }

  delete(volume: string, holder: string): void {
    this.#db.run('DELETE FROM volume_mounts WHERE holder = ? AND volume = ?', holder, volume)
  }

  /** The volumes that are mounted for somebody. */
  volumesOf(holder: string): string[] {
    return this.#db.all('SELECT volume FROM volume_mounts WHERE holder = ?', holder).map((row) => String(row.volume))
  }

  all(): { readonly volume: string; readonly holder: string }[] {
    return this.#db
      .all('SELECT volume, holder FROM volume_mounts')
      .map((row) => ({ volume: String(row.volume), holder: String(row.holder) }))
  }
}
