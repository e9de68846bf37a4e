/** Databases that others wrote: looked into, never changed. */
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'

/** All rows of a query. Throws SQLite's errors for what is no database or has no such table. */
export function readForeignRows(path: string, query: string): readonly Readonly<Record<string, SQLOutputValue>>[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db.prepare(query).all()
  } finally {
    db.close()
  }
}
