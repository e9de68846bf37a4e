/** The engine's one database: SQLite through `node:sqlite`, WAL, synchronous=NORMAL, so that a commit
 *  costs no fsync and a `kill -9` loses nothing (a power cut may lose the last commits, never consistency).
 *  https://www.sqlite.org/wal.html */
import { closeSync, existsSync, openSync, rmSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { BerthError, conflict, messageOf } from '../base/index.ts'
import { closeFile } from '../sys/index.ts'
import { migrations } from './schema.ts'

/** A row of a query: its columns by name. */
export type Row = Readonly<Record<string, unknown>>

/** An open database. Only the table classes of this folder use it. */
export class Database {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #depth = 0

  private constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** Opens the database at `path` (`:memory:` for a test); makes it when it does not exist, and migrates an older one.
   *  Only the owner can read its files, whatever the umask is. Throws `dataLoss` when the file is not a database, and
   *  `conflict` when a newer version of Berth wrote it. */
  static open(path: string): Database {
    let db: DatabaseSync
    try {
      if (path !== ':memory:') {
        makeDatabaseFile(path)
        closeDatabaseFiles(path)
      }
      db = new DatabaseSync(path)
      db.exec(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000',
      )
    } catch (cause) {
      throw new BerthError('dataLoss', `cannot open database ${path}: ${messageOf(cause)}`, { cause })
    }
    migrate(db, path)
    return new Database(db)
  }

  /** All rows of a query. Each SQL text is prepared once and kept. */
  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values)
  }

  /** The first row, or undefined. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values)
  }

  /** Runs a change. Returns the number of rows that it changed and the last row number.
   *  Throws `alreadyExists` when a UNIQUE or PRIMARY KEY constraint refuses the change. */
  run(sql: string, ...values: SQLInputValue[]): { readonly changes: number; readonly lastRow: number } {
    try {
      const result = this.#statement(sql).run(...values)
      return { changes: Number(result.changes), lastRow: Number(result.lastInsertRowid) }
    } catch (cause) {
      // SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE, https://www.sqlite.org/rescode.html
      const code = (cause as { errcode?: number }).errcode
      if (code === 1555 || code === 2067) throw new BerthError('alreadyExists', 'record exists already', { cause })
      throw cause
    }
  }

  /** All changes that `work` makes are kept, or none. Calls may be nested: the outermost one commits or rolls back. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work()
    this.#db.exec('BEGIN IMMEDIATE')
    this.#depth += 1
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    } finally {
      this.#depth -= 1
    }
  }

  close(): void {
    if (!this.#db.isOpen) return
    this.#statements.clear()
    this.#db.close()
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** Closes the files of a database at `path` to other users; older versions of the engine let them read. No process may
 *  have the database open. A user who opened the shared memory file may still hold a lock on it that would stall every
 *  write, so this function deletes that file. SQLite makes it again from the WAL: https://www.sqlite.org/wal.html */
export function closeDatabaseFiles(path: string): void {
  for (const name of [path, `${path}-wal`]) closeFile(name)
  if (closeFile(`${path}-shm`)) rmSync(`${path}-shm`)
}

/** Makes the file before SQLite does, because SQLite would use mode 0644. SQLite gives the files beside it the mode of
 *  the database (findCreateFileMode in os_unix.c). */
function makeDatabaseFile(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'ax', 0o600))
}

function migrate(db: DatabaseSync, path: string): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0)
  if (version > migrations.length) {
    throw conflict(`database ${path} has version ${version}, this engine knows up to ${migrations.length}`)
  }
  for (let next = version; next < migrations.length; next += 1) {
    db.exec(`BEGIN IMMEDIATE; ${migrations[next]}; PRAGMA user_version = ${next + 1}; COMMIT`)
  }
}
