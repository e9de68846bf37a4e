/** Reads databases that other programs wrote. */
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'

/** All rows of a query, read-only. Throws SQLite's error when the file is not a database or a table is missing. */
export function readForeignRows(path: string, query: string): readonly Readonly<Record<string, SQLOutputValue>>[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db.prepare(query).all()
  } finally {
    db.close()
  }
}
