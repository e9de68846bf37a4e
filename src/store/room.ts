/** Room on the disk that the database keeps for itself, so that ends and removals can be recorded when the disk is full
 *  and nobody else can take the room first.
 *
 *  SQLite writes to the log (`-wal`) and later copies it into the database. So both need room:
 *    the log        The file is made `logBytes` long at once. SQLite writes over it from its begin, and takes the zeros
 *                   at its end for no log. A clean close deletes the log, but its blocks stay, in the spare file; the
 *                   next open takes that as the log, which needs neither a block nor an inode.
 *    the database   It always has some free pages (`PRAGMA freelist_count`), which are on the disk already. New rows
 *                   use them first. When few are left, the file is made longer before SQLite uses the new pages.
 *  https://www.sqlite.org/walformat.html, https://www.sqlite.org/fileformat2.html#the_freelist */
import { closeSync, ftruncateSync, linkSync, lstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { preallocate } from '../sys/index.ts'

/** SQLite copies the log into the database every 1000 pages (4 MB); the rest is for transactions that come meanwhile. */
const logBytes = 8 * 1024 * 1024
/** Free pages below which more are made. Larger than any one transaction of the engine that must not fail. */
const fewPages = 128
const enoughPages = 384
/** Pages that SQLite needs in addition to make the free ones: the table's root, the list of free pages. */
const extraPages = 8
/** How long after a failure the disk is tried again, in milliseconds. */
const pauseMs = 1000
/** The log's header and the header of its first frame, without which nothing in it counts. */
const headerBytes = 56

/** Gives the log the room that the last close kept. Call it before the database is opened; nobody may have it open. */
export function takeSpareLog(path: string): void {
  const spare = sparePath(path)
  if (lstatSync(spare, { throwIfNoEntry: false }) === undefined) return
  // A log is there if the process was killed. It has its room.
  if (lstatSync(logPath(path), { throwIfNoEntry: false }) !== undefined) rmSync(spare)
  else {
    clearLog(spare)
    renameSync(spare, logPath(path))
  }
}

/** The file that keeps the room of the log while the database is closed. */
export function sparePath(path: string): string {
  return `${path}-spare`
}

/** The room of one open database. */
export class DatabaseRoom {
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #freePages: StatementSync
  /** The database's file. Closing a descriptor of it would end SQLite's locks, so it stays open until the end. */
  readonly #fd: number
  #nextTry = 0

  /** Takes the room. If the disk is too full for it, that is no error: `keep` tries again. */
  constructor(db: DatabaseSync, path: string) {
    this.#db = db
    this.#path = path
    this.#fd = openSync(path, 'r+')
    this.#freePages = db.prepare('PRAGMA freelist_count')
    this.keep()
    this.#growLog()
  }

  /** Makes more free pages if few are left. Call it after a change, outside of a transaction. */
  keep(): void {
    const free = Number(this.#freePages.get()?.freelist_count)
    if (free >= fewPages || performance.now() < this.#nextTry) return
    try {
      this.#growDatabase(enoughPages - free)
    } catch {
      // The disk is full. Changes go on with the pages that are left.
      this.#nextTry = performance.now() + pauseMs
    }
  }

  /** Closes the database and keeps the room of its log in the spare file. */
  close(): void {
    const spare = sparePath(this.#path)
    try {
      rmSync(spare, { force: true })
      linkSync(logPath(this.#path), spare)
    } catch {
      // Without a spare file, the next open makes a new log.
    }
    this.#db.close()
    closeSync(this.#fd)
    const stats = lstatSync(spare, { throwIfNoEntry: false })
    // SQLite keeps the log if another process has the database open, or if it can't copy the log into the database.
    if (stats !== undefined && stats.nlink > 1) rmSync(spare)
    else if (stats !== undefined) clearLog(spare)
  }

  #growLog(): void {
    let fd: number | undefined
    try {
      fd = openSync(logPath(this.#path), 'r+')
      preallocate(fd, logBytes)
    } catch {
      // The disk is full, or the log does not exist before the first change. It then grows with each change.
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  }

  /** Adds free pages: takes room on the disk, and has SQLite use and free these pages. Freed pages are not written. */
  #growDatabase(pages: number): void {
    const pageBytes = this.#number('page_size')
    const pagesOnDisk = this.#number('page_count') + pages + extraPages
    preallocate(this.#fd, pagesOnDisk * pageBytes)
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      this.#db.exec('CREATE TABLE room (filler BLOB)')
      this.#db.prepare('INSERT INTO room VALUES (zeroblob(?))').run(pages * pageBytes)
      this.#db.exec('DROP TABLE room; COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  #number(pragma: string): number {
    return Number(this.#db.prepare(`PRAGMA ${pragma}`).get()?.[pragma])
  }
}

function logPath(path: string): string {
  return `${path}-wal`
}

/** Makes the content of a log void, and the file as long as a new log. */
function clearLog(file: string): void {
  const fd = openSync(file, 'r+')
  try {
    writeSync(fd, Buffer.alloc(headerBytes), 0, headerBytes, 0)
    ftruncateSync(fd, logBytes)
  } finally {
    closeSync(fd)
  }
}
