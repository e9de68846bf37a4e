import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { UserRemap } from '../../config/index.ts'
import { RootAccess } from './root-access.ts'

const ownGid = process.getegid?.() ?? 0
const remap: UserRemap = { user: 'u', group: 'g', mappings: { uids: [], gids: [] }, root: { uid: 1, gid: ownGid } }

interface Place {
  readonly base: { readonly dataRoot: string; readonly execRoot: string }
  readonly own: { readonly dataRoot: string; readonly execRoot: string }
  readonly directory: string
}

function withPlace(work: (place: Place) => void): void {
  const directory = mkdtempSync('/tmp/b-access-')
  const base = { dataRoot: join(directory, 'd'), execRoot: join(directory, 'x') }
  const own = { dataRoot: join(base.dataRoot, '1.1'), execRoot: join(base.execRoot, '1.1') }
  try {
    work({ base, own, directory })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const modeOf = (path: string) => statSync(path).mode & 0o777

/** What an older version left, every directory with this mode and every file with that one. */
function leave(root: string, directoryMode: number, fileMode: number): void {
  mkdirSync(root, { recursive: true })
  for (const name of ['volumes', 'snapshots', 'c', 'c/id']) {
    mkdirSync(join(root, name), { recursive: true })
    chmodSync(join(root, name), directoryMode)
  }
  for (const name of ['berth.db', 'engine-id', 'c/id/config.json', 'mine.txt']) {
    writeFileSync(join(root, name), 'x')
    chmodSync(join(root, name), fileMode)
  }
  chmodSync(root, directoryMode)
}

test('close() creates the roots with mode 0700', () => {
  withPlace(({ base }) => {
    assert.deepEqual(RootAccess.close([base, base], undefined).problems(), [])
    for (const root of [base.dataRoot, base.execRoot]) assert.equal(modeOf(root), 0o700)
  })
})

test('close() closes paths that an older version left open, and leaves other files alone', () => {
  withPlace(({ base }) => {
    leave(base.dataRoot, 0o755, 0o644)
    RootAccess.close([base], undefined)
    for (const name of ['', 'volumes', 'snapshots', 'c']) assert.equal(modeOf(join(base.dataRoot, name)), 0o700, name)
    for (const name of ['berth.db', 'engine-id', 'c/id/config.json']) {
      assert.equal(modeOf(join(base.dataRoot, name)), 0o600, name)
    }
    assert.equal(modeOf(join(base.dataRoot, 'mine.txt')), 0o644)
  })
})

test('close() completes the work of a daemon that was killed meanwhile', () => {
  withPlace(({ base }) => {
    leave(base.dataRoot, 0o711, 0o644)
    chmodSync(base.dataRoot, 0o700)
    chmodSync(join(base.dataRoot, 'snapshots'), 0o700)
    RootAccess.close([base], undefined)
    assert.equal(modeOf(join(base.dataRoot, 'volumes')), 0o700)
    assert.equal(modeOf(join(base.dataRoot, 'berth.db')), 0o600)
  })
})

test('close() with a mapping lets its group pass through all roots, and closes what the daemon had without one', () => {
  withPlace(({ base, own }) => {
    leave(base.dataRoot, 0o711, 0o644)
    const access = RootAccess.close([base, own], remap)
    for (const { dataRoot, execRoot } of [base, own]) {
      for (const root of [dataRoot, execRoot]) {
        assert.deepEqual([modeOf(root), statSync(root).gid], [0o710, ownGid], root)
      }
    }
    assert.equal(modeOf(join(base.dataRoot, 'volumes')), 0o700)
    assert.equal(modeOf(join(base.dataRoot, 'berth.db')), 0o600)
    assert.deepEqual(access.problems(), [])
  })
})

test('problems() names each open path with its mode', () => {
  withPlace(({ base }) => {
    const access = RootAccess.close([base], undefined)
    leave(base.dataRoot, 0o711, 0o640)
    const problems = access.problems()
    const message = `its mode 0711 (group ${statSync(base.dataRoot).gid}) lets other users of the host in; a restart of the daemon closes it`
    assert.deepEqual(problems[0], { Kind: 'path', Name: base.dataRoot, Message: message })
    const names = ['', 'snapshots', 'volumes', 'c', 'berth.db', 'engine-id', 'c/id/config.json']
    assert.deepEqual(
      problems.map(({ Name }) => Name),
      names.map((name) => join(base.dataRoot, name)),
    )
  })
})

test('openTo() lets a group pass to a socket below a root, also by way of a link', () => {
  withPlace(({ base, directory }) => {
    const gid = ownGid === 0 ? 65_534 : ownGid
    const access = RootAccess.close([base], undefined)
    mkdirSync(join(base.execRoot, 'api'))
    symlinkSync(base.execRoot, join(directory, 'link'))
    access.openTo(join(directory, 'link/api/s'), gid)
    assert.deepEqual([modeOf(base.execRoot), statSync(base.execRoot).gid], [0o710, gid])
    assert.equal(modeOf(base.dataRoot), 0o700)
    assert.deepEqual(access.problems(), [])
    // The next daemon may have no socket there.
    RootAccess.close([base], undefined)
    assert.equal(modeOf(base.execRoot), 0o700)
  })
})

test('openTo() changes nothing for a socket elsewhere, and for one of root alone', () => {
  withPlace(({ base, directory }) => {
    const access = RootAccess.close([base], undefined)
    mkdirSync(join(directory, 'xy'))
    access.openTo(join(directory, 'xy/s'), 7)
    access.openTo(join(base.execRoot, 's'), 0)
    assert.equal(modeOf(base.execRoot), 0o700)
    assert.equal(existsSync(join(base.execRoot, 's')), false)
  })
})

test('openTo() with a mapping lets everybody pass through the one root', () => {
  withPlace(({ base, own }) => {
    const access = RootAccess.close([base, own], remap)
    access.openTo(join(base.execRoot, 's'), 7)
    assert.equal(modeOf(base.execRoot), 0o711)
    assert.equal(modeOf(own.execRoot), 0o710)
    assert.deepEqual(access.problems(), [])
  })
})
