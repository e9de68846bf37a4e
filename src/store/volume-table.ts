import { isKind } from '../base/index.ts'
import type { Database } from './database.ts'

/** Rows of volumes. `R` is the record, which the volume layer defines. */
export class VolumeTable<R extends { readonly name: string }> {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
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

  /** The record of a volume, or undefined when there is none. */
  find(name: string): R | undefined {
    const row = this.#db.get('SELECT record FROM volumes WHERE name = ?', name)
    return row === undefined ? undefined : (JSON.parse(String(row.record)) as R)
  }

  /** Every volume, ordered by name. */
  all(): R[] {
    return this.#db.all('SELECT record FROM volumes ORDER BY name').map((row) => JSON.parse(String(row.record)) as R)
  }

  /** Removes the row unless a container uses the volume; true when it removed one. */
  deleteUnused(name: string): boolean {
    const { changes } = this.#db.run(
      'DELETE FROM volumes WHERE name = ? AND NOT EXISTS (SELECT 1 FROM volume_references WHERE volume = volumes.name)',
      name,
    )
    return changes > 0
  }

  /** Replaces the record of a volume; no error when there is none. */
  replace(record: R): void {
    this.#db.run('UPDATE volumes SET record = ? WHERE name = ?', JSON.stringify(record), record.name)
  }

  /** Removes the row, even while containers use the volume; no error when there is none. */
  delete(name: string): void {
    this.#db.run('DELETE FROM volumes WHERE name = ?', name)
  }
}

/** Rows of which container uses which volume. */
export class VolumeUserTable {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Notes that a container uses a volume, which need not exist yet; repeating it is no error. */
  add(volume: string, containerId: string): void {
    this.#db.run('INSERT OR IGNORE INTO volume_references (volume, container_id) VALUES (?, ?)', volume, containerId)
  }

  /** Ids of the containers that use a volume, sorted. */
  of(volume: string): string[] {
    return this.#db
      .all('SELECT container_id FROM volume_references WHERE volume = ? ORDER BY container_id', volume)
      .map((row) => String(row.container_id))
  }

  /** For each used volume, the number of containers that use it. */
  counts(): Map<string, number> {
    const rows = this.#db.all('SELECT volume, count(*) AS users FROM volume_references GROUP BY volume')
    return new Map(rows.map((row) => [String(row.volume), Number(row.users)]))
  }

  /** Drops a container's references; returns the names of the volumes that it used. */
  release(containerId: string): string[] {
    return this.#db
      .all('DELETE FROM volume_references WHERE container_id = ? RETURNING volume', containerId)
      .map((row) => String(row.volume))
  }

  /** Ids of all containers that use a volume. */
  holders(): string[] {
    return this.#db.all('SELECT DISTINCT container_id FROM volume_references').map((row) => String(row.container_id))
  }
}
