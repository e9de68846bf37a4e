import assert from 'node:assert/strict'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Database } from './database.ts'

const names = ['berth.db', 'berth.db-shm', 'berth.db-wal']

function inDirectory(work: (directory: string) => void): void {
  const directory = mkdtempSync('/tmp/b-db-')
  try {
    work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Names of the files that other users may access. */
function openToOthers(directory: string): string[] {
  return readdirSync(directory).filter((name) => (statSync(join(directory, name)).mode & 0o077) !== 0)
}

test('open() makes files that only their owner can read, whatever the umask', () => {
  inDirectory((directory) => {
    const before = process.umask(0)
    let db: Database | undefined
    try {
      db = Database.open(join(directory, 'berth.db'))
      assert.deepEqual(readdirSync(directory).sort(), names)
      assert.deepEqual(openToOthers(directory), [])
    } finally {
      process.umask(before)
      db?.close()
    }
  })
})

test('close() keeps the room of the log, and the next open() takes it without its old content', () => {
  inDirectory((directory) => {
    const path = join(directory, 'berth.db')
    const db = Database.open(path)
    db.run('CREATE TABLE kept (value TEXT)')
    db.run("INSERT INTO kept VALUES ('old')")
    const { ino } = statSync(`${path}-wal`)
    const { blocks } = statSync(path)
    assert.ok(blocks * 512 > 1024 * 1024, `${blocks} blocks`)
    db.close()
    assert.deepEqual(readdirSync(directory).sort(), ['berth.db', 'berth.db-spare'])
    assert.equal(statSync(`${path}-spare`).ino, ino)
    assert.deepEqual(openToOthers(directory), [])

    // Another program changes the database meanwhile.
    const other = new DatabaseSync(path)
    other.exec("UPDATE kept SET value = 'new'")
    other.close()
    const again = Database.open(path)
    try {
      assert.equal(statSync(`${path}-wal`).ino, ino)
      assert.ok(statSync(`${path}-wal`).blocks * 512 >= 8 * 1024 * 1024)
      assert.equal(again.get('SELECT value FROM kept')?.value, 'new')
    } finally {
      again.close()
    }
  })
})

test('transaction() that the disk has no room for says so, and keeps nothing', () => {
  const db = Database.open(':memory:')
  try {
    db.run('CREATE TABLE kept (value BLOB)')
    // SQLite's own limit gives the same error as a full disk.
    db.run('PRAGMA max_page_count = 20')
    const fill = () => db.transaction(() => db.run('INSERT INTO kept VALUES (zeroblob(1000000))'))
    assert.throws(fill, { kind: 'noSpace', message: /disk of the data root is full/ })
    assert.throws(fill, { kind: 'noSpace' })
    assert.equal(db.get('SELECT count(*) AS n FROM kept')?.n, 0)
  } finally {
    db.close()
  }
})

/** The files of a database as a killed process leaves them. */
function leaveBehind(from: string, to: string): void {
  const db = Database.open(join(from, 'berth.db'))
  try {
    db.run('CREATE TABLE kept (value TEXT)')
    db.run("INSERT INTO kept VALUES ('x')")
    mkdirSync(to)
    for (const name of names) copyFileSync(join(from, name), join(to, name))
  } finally {
    db.close()
  }
}

test('open() closes the files of an older version to others, and keeps data that only the WAL has', () => {
  inDirectory((directory) => {
    const old = join(directory, 'old')
    leaveBehind(directory, old)
    for (const name of names) chmodSync(join(old, name), 0o644)
    const shared = openSync(join(old, 'berth.db-shm'), 'r')
    const db = Database.open(join(old, 'berth.db'))
    try {
      const rows = db.all('SELECT value FROM kept')
      assert.deepEqual(rows.map(({ value }) => value), ['x']) // biome-ignore format: one condition
      assert.deepEqual(openToOthers(old), [])
      // A lock on the old file no longer concerns the database.
      assert.equal(fstatSync(shared).nlink, 0)
    } finally {
      db.close()
      closeSync(shared)
    }
  })
})

test('open() refuses a file that is not a database, and names it', () => {
  inDirectory((directory) => {
    assert.throws(() => Database.open(directory), { kind: 'dataLoss', message: new RegExp(directory) })
  })
})
