import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { closeFile, makePrivateDirectory } from './private-directory.ts'

const modeOf = (path: string) => statSync(path).mode & 0o7777

function inDirectory(work: (directory: string) => void): void {
  const directory = mkdtempSync('/tmp/b-private-')
  try {
    work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

test('makePrivateDirectory() makes new and existing directories private', () => {
  inDirectory((directory) => {
    const [fresh, old] = [join(directory, 'missing/fresh'), join(directory, 'old')]
    mkdirSync(old)
    chmodSync(old, 0o2777)
    for (const path of [fresh, old]) {
      makePrivateDirectory(path)
      assert.equal(modeOf(path), 0o700)
    }
    assert.equal(modeOf(join(directory, 'missing')), 0o700)
  })
})

test('makePrivateDirectory() lets a group pass, whatever the umask, until it is called without one', () => {
  inDirectory((directory) => {
    const path = join(directory, 'd')
    const group = process.getegid?.() ?? 0
    const before = process.umask(0o777)
    try {
      makePrivateDirectory(path, group)
    } finally {
      process.umask(before)
    }
    assert.deepEqual([modeOf(path), statSync(path).gid], [0o710, group])
    makePrivateDirectory(path)
    assert.equal(modeOf(path), 0o700)
  })
})

test('makePrivateDirectory() throws for a file', () => {
  inDirectory((directory) => {
    const path = join(directory, 'f')
    writeFileSync(path, '')
    assert.throws(() => makePrivateDirectory(path), { code: 'EEXIST' })
  })
})

test('closeFile() returns whether other users had permissions', () => {
  inDirectory((directory) => {
    const path = join(directory, 'f')
    writeFileSync(path, '')
    chmodSync(path, 0o604)
    assert.equal(closeFile(path), true)
    assert.equal(modeOf(path), 0o600)
    assert.equal(closeFile(path), false)
    assert.equal(closeFile(join(directory, 'missing')), false)
  })
})

test('closeFile() leaves directories and targets of links alone', () => {
  inDirectory((directory) => {
    const [path, link] = [join(directory, 'f'), join(directory, 'link')]
    writeFileSync(path, '')
    chmodSync(path, 0o644)
    symlinkSync(path, link)
    assert.equal(closeFile(link), false)
    chmodSync(directory, 0o755)
    assert.equal(closeFile(directory), false)
    assert.equal(modeOf(path), 0o644)
    assert.equal(existsSync(link), true)
  })
})
