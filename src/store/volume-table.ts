import { isKind } from '../base/index.ts'
import type { Database } from './database.ts'

/** Rows of volumes and who uses them: `R` is the record's type, which the volume layer defines. */
export class VolumeTable<R extends { readonly name: string }> {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** All changes that `work` makes are kept, or none. */
  transaction<T>(work: () => T): T {
    return this.#db.transaction(work)
  }

  /** Adds a volume; false when the name is taken. */
  insert(record: R): boolean {
    try {
      this.#db.run('INSERT INTO volumes (name, record) VALUES (?, ?)', record.name, JSON.stringify(record))
      return true
    } catch (error) {
      if (isKind(error, 'alreadyExists')) return false
      throw error
    }
  }

  find(name: string): R | undefined {
    const row = this.#db.get('SELECT record FROM volumes WHERE name = ?', name)
    return row === undefined ? undefined : (JSON.parse(String(row.record)) as R)
  }

  /** Every volume, by name. */
  all(): R[] {
    return this.#db.all('SELECT record FROM volumes ORDER BY name').map((row) => JSON.parse(String(row.record)) as R)
  }

  /** Removes the row unless a container uses the volume; true when it is gone now. */
  deleteUnused(name: string): boolean {
    const { changes } = this.#db.run(
      'DELETE FROM volumes WHERE name = ? AND NOT EXISTS (SELECT 1 FROM volume_references WHERE volume = volumes.name)',
      name,
    )
    return changes > 0
  }

  /** Notes that a container uses a volume; again is no error. */
  addReference(volume: string, containerId: string): void {
    this.#db.run('INSERT OR IGNORE INTO volume_references (volume, container_id) VALUES (?, ?)', volume, containerId)
  }

  /** The containers that use a volume. */
  users(volume: string): string[] {
    return this.#db
      .all('SELECT container_id FROM volume_references WHERE volume = ? ORDER BY container_id', volume)
      .map((row) => String(row.container_id))
  }

  /** All references, as volume → number of containers. */
  userCounts(): Map<string, number> {
    const rows = this.#db.all('SELECT volume, count(*) AS users FROM volume_references GROUP BY volume')
    return new Map(rows.map((row) => [String(row.volume), Number(row.users)]))
  }

  /** Drops a container's references; gives the volumes that it used. */
  release(containerId: string): string[] {
    return this.#db
      .all('DELETE FROM volume_references WHERE container_id = ? RETURNING volume', containerId)
      .map((row) => String(row.volume))
  }

  /** Containers that hold references. */
  holders(): string[] {
    return this.#db.all('SELECT DISTINCT container_id FROM volume_references').map((row) => String(row.container_id))
  }

  /** Changes a row; nothing when there is none. */
  replace(record: R): void {
    this.#db.run('UPDATE volumes SET record = ? WHERE name = ?', JSON.stringify(record), record.name)
  }

  /** Removes the row, whoever uses the volume. */
  delete(name: string): void {
    this.#db.run('DELETE FROM volumes WHERE name = ?', name)
  }
}
