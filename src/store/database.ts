/** The engine's one database: SQLite through `node:sqlite`, WAL, synchronous=NORMAL, so that a commit
 *  costs no fsync and a `kill -9` loses nothing (a power cut may lose the last commits, never consistency).
 *  https://www.sqlite.org/wal.html */
import { closeSync, existsSync, openSync, rmSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { BerthError, conflict, errnoOf, isKind, messageOf } from '../base/index.ts'
import { closeFile } from '../sys/index.ts'
import { DatabaseRoom, sparePath, takeSpareLog } from './room.ts'
import { migrations } from './schema.ts'

/** A row of a query: its columns by name. */
export type Row = Readonly<Record<string, unknown>>

/** An open database. Only the table classes of this folder use it. */
export class Database {
  readonly #db: DatabaseSync
  /** Undefined for a database in memory. */
  readonly #room: DatabaseRoom | undefined
  readonly #statements = new Map<string, StatementSync>()
  #depth = 0

  private constructor(db: DatabaseSync, room: DatabaseRoom | undefined) {
    this.#db = db
    this.#room = room
  }

  /** Opens the database at `path` (`:memory:` for a test); makes it when it does not exist, and migrates an older one.
   *  Only the owner can read its files, whatever the umask is. The database keeps room on the disk for itself (room.ts).
   *  Throws `dataLoss` when the file is not a database, `noSpace` when the disk is full and the database has no room of
   *  its own, and `conflict` when a newer version of Berth wrote it. */
  static open(path: string): Database {
    const isFile = path !== ':memory:'
    let db: DatabaseSync
    try {
      if (isFile) {
        makeDatabaseFile(path)
        closeDatabaseFiles(path)
        takeSpareLog(path)
      }
      db = openFiles(path)
      migrate(db, path)
    } catch (cause) {
      if (isFullDisk(cause)) throw fullDisk(cause)
      if (isKind(cause, 'conflict')) throw cause
      throw new BerthError('dataLoss', `cannot open database ${path}: ${messageOf(cause)}`, { cause })
    }
    return new Database(db, isFile ? new DatabaseRoom(db, path) : undefined)
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
   *  Throws `alreadyExists` when a UNIQUE or PRIMARY KEY constraint refuses the change, and `noSpace` when the disk is
   *  full. */
  run(sql: string, ...values: SQLInputValue[]): { readonly changes: number; readonly lastRow: number } {
    try {
      const result = this.#statement(sql).run(...values)
      return { changes: Number(result.changes), lastRow: Number(result.lastInsertRowid) }
    } catch (cause) {
      // SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE, https://www.sqlite.org/rescode.html
      const code = (cause as { errcode?: number }).errcode
      if (code === 1555 || code === 2067) throw new BerthError('alreadyExists', 'record exists already', { cause })
      throw isFullDisk(cause) ? fullDisk(cause) : cause
    } finally {
      if (this.#depth === 0) this.#room?.keep()
    }
  }

  /** All changes that `work` makes are kept, or none. Calls may be nested: the outermost one commits or rolls back.
   *  Throws `noSpace` when the disk is full. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work()
    this.#depth += 1
    try {
      this.#db.exec('BEGIN IMMEDIATE')
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      // SQLite ends the transaction by itself after some errors, such as a full disk.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw isFullDisk(error) ? fullDisk(error) : error
    } finally {
      this.#depth -= 1
      this.#room?.keep()
    }
  }

  close(): void {
    if (!this.#db.isOpen) return
    this.#statements.clear()
    if (this.#room === undefined) this.#db.close()
    else this.#room.close()
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

/** Opens the files. The log's index is shared with other processes, such as a backup (`-shm`). On a disk without room for
 *  it, the index is in memory, and other processes are shut out. */
function openFiles(path: string): DatabaseSync {
  try {
    return openAs(path, 'NORMAL')
  } catch (error) {
    const code = resultCode(error)
    if (code !== sqliteIoError && code !== sqliteFull && code !== sqliteCantOpen) throw error
    return openAs(path, 'EXCLUSIVE')
  }
}

function openAs(path: string, locking: 'NORMAL' | 'EXCLUSIVE'): DatabaseSync {
  const db = new DatabaseSync(path)
  try {
    // The locking mode comes first: it decides on the index. https://www.sqlite.org/wal.html#noshm
    db.exec(`PRAGMA locking_mode = ${locking}; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 5000;
      PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON`)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

// https://www.sqlite.org/rescode.html
const sqliteIoError = 10
const sqliteFull = 13
const sqliteCantOpen = 14

/** SQLite's primary result code of an error; undefined for other errors. */
function resultCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' ? errcode & 0xff : undefined
}

function isFullDisk(error: unknown): boolean {
  return resultCode(error) === sqliteFull || errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT'
}

function fullDisk(cause: unknown): BerthError {
  return new BerthError('noSpace', 'the disk of the data root is full: remove containers, images or volumes', { cause })
}

/** Closes the files of a database at `path` to other users; older versions of the engine let them read. No process may
 *  have the database open. A user who opened the shared memory file may still hold a lock on it that would stall every
 *  write, so this function deletes that file. SQLite makes it again from the WAL: https://www.sqlite.org/wal.html */
export function closeDatabaseFiles(path: string): void {
  for (const name of [path, `${path}-wal`, sparePath(path)]) closeFile(name)
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
