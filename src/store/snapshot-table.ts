import { BerthError, isKind } from '../base/index.ts'
import type { Database, Row } from './database.ts'

/** A snapshot is active while it is changed, and committed once it is final. */
export type SnapshotKind = 'active' | 'committed'

/** A snapshot. For a committed one, `key` is its name. */
export interface SnapshotRow {
  /** The name of its directory; a number is never used again. */
  readonly number: number
  readonly key: string
  readonly kind: SnapshotKind
  /** Name of the committed snapshot below, or undefined. */
  readonly parent: string | undefined
  readonly created: Date
  /** The size that `commit` was given, or undefined. */
  readonly sizeBytes: number | undefined
}

/** Rows of snapshots. */
export class SnapshotTable {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Adds a snapshot and returns its number. Throws `alreadyExists` when the key is taken. */
  insert(row: { readonly key: string; readonly kind: SnapshotKind; readonly parent: string | undefined }): number {
    try {
      return this.#db.run(
        'INSERT INTO snapshots (key, kind, parent, created) VALUES (?, ?, ?, ?)',
        row.key,
        row.kind,
        row.parent ?? null,
        new Date().toISOString(),
      ).lastRow
    } catch (cause) {
      if (isKind(cause, 'alreadyExists')) {
        throw new BerthError('alreadyExists', `snapshot ${row.key} exists already`, { cause })
      }
      throw cause
    }
  }

  /** The row of a snapshot, or undefined when there is none. */
  find(key: string): SnapshotRow | undefined {
    const row = this.#db.get(`SELECT ${columns} FROM snapshots WHERE key = ?`, key)
    return row === undefined ? undefined : toSnapshot(row)
  }

  /** Makes an active snapshot a committed one with that name. Throws `alreadyExists` when the name is taken. */
  commit(key: string, committed: Pick<SnapshotRow, 'parent' | 'sizeBytes'> & { readonly name: string }): void {
    const { name, parent, sizeBytes } = committed
    try {
      this.#db.run(
        "UPDATE snapshots SET key = ?, kind = 'committed', parent = ?, size_bytes = ? WHERE key = ?",
        name,
        parent ?? null,
        sizeBytes ?? null,
        key,
      )
    } catch (cause) {
      if (isKind(cause, 'alreadyExists')) {
        throw new BerthError('alreadyExists', `snapshot ${name} exists already`, { cause })
      }
      throw cause
    }
  }

  /** Keys of the snapshots whose parent this one is. */
  children(name: string): string[] {
    return this.#db.all('SELECT key FROM snapshots WHERE parent = ?', name).map((row) => String(row.key))
  }

  hasChildren(name: string): boolean {
    return this.#db.get('SELECT 1 FROM snapshots WHERE parent = ? LIMIT 1', name) !== undefined
  }

  delete(key: string): void {
    this.#db.run('DELETE FROM snapshots WHERE key = ?', key)
  }

  /** Every snapshot, oldest first. */
  all(): SnapshotRow[] {
    return this.#db.all(`SELECT ${columns} FROM snapshots ORDER BY number`).map(toSnapshot)
  }
}

const columns = 'number, key, kind, parent, created, size_bytes'

function toSnapshot(row: Row): SnapshotRow {
  return {
    number: Number(row.number),
    key: String(row.key),
    kind: row.kind as SnapshotKind,
    parent: row.parent === null ? undefined : String(row.parent),
    created: new Date(String(row.created)),
    sizeBytes: row.size_bytes === null ? undefined : Number(row.size_bytes),
  }
}
