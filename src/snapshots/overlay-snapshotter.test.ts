import assert from 'node:assert/strict'
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Logger, nullLogger } from '../base/index.ts'
import { Database, SnapshotTable } from '../store/index.ts'
import { OverlaySnapshotter } from './overlay-snapshotter.ts'

interface Place {
  readonly root: string
  readonly table: SnapshotTable
}

async function withPlace(run: (place: Place) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'bt-sn-'))
  try {
    await run({ root: join(directory, 'snapshots'), table: new SnapshotTable(Database.open(':memory:')) })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function open(place: Place, logger: Logger = nullLogger): Promise<OverlaySnapshotter> {
  return OverlaySnapshotter.open({ ...place, logger })
}

test('OverlaySnapshotter.mounts() names 127 layers in less than a page', () =>
  withPlace(async (place) => {
    const snapshotter = await open(place)
    let parent: string | undefined
    for (let layer = 1; layer <= 127; layer += 1) {
      const name = `sha256:${String(layer).padStart(64, '0')}`
      await snapshotter.prepare('unpack', parent)
      await snapshotter.commit(name, 'unpack')
      parent = name
    }
    await snapshotter.prepare('c', parent)
    const [mount] = await snapshotter.mounts('c')
    assert.equal(mount?.type, 'overlay')
    assert.equal(mount?.cwd, place.root)
    assert.equal(mount?.options[0]?.split(':').length, 127)
    assert.ok((mount?.options.join(',').length ?? 0) < 4095)
    await snapshotter[Symbol.asyncDispose]()
  }))

test('OverlaySnapshotter.remove() deletes the files in the background', () =>
  withPlace(async (place) => {
    const snapshotter = await open(place)
    for (const count of [3, 5000]) {
      await snapshotter.prepare('c')
      const files = snapshotter.directory('c')
      mkdirSync(join(files, 'a/b'), { recursive: true })
      symlinkSync('/etc', join(files, 'a/link'))
      writeFileSync(Buffer.concat([Buffer.from(`${files}/a/`), Buffer.from([0xe9])]), 'not UTF-8')
      for (let file = 0; file < count; file += 1) writeFileSync(join(files, `a/b/${file}`), '')
      await snapshotter.remove('c')
      assert.equal(existsSync(files), false)
      await snapshotter[Symbol.asyncDispose]()
      assert.deepEqual(readdirSync(join(place.root, 'trash')), [])
      assert.ok(existsSync('/etc/passwd'))
    }
  }))

test('OverlaySnapshotter.open() clears what a crash left', () =>
  withPlace(async (place) => {
    const before = await open(place)
    await before.prepare('unpack')
    await before.commit('base', 'unpack')
    await before.prepare('kept', 'base')
    await before.prepare('lost', 'base')
    rmSync(join(before.directory('lost'), '..'), { recursive: true })
    mkdirSync(join(place.root, '4711/fs'), { recursive: true })
    mkdirSync(join(place.root, 'trash/3-1/fs'), { recursive: true })
    const warnings: unknown[] = []
    const after = await open(place, { ...nullLogger, warn: (_, fields) => warnings.push(fields?.key) })
    const keys: string[] = []
    for await (const { key } of after.walk()) keys.push(key)
    assert.deepEqual(keys, ['base', 'kept'])
    assert.deepEqual(warnings, ['lost'])
    await after[Symbol.asyncDispose]()
    assert.deepEqual(readdirSync(place.root).sort(), ['1', '2', 'trash'])
    assert.deepEqual(readdirSync(join(place.root, 'trash')), [])
  }))

test('OverlaySnapshotter.usage() counts a file with several names once', () =>
  withPlace(async (place) => {
    const snapshotter = await open(place)
    await snapshotter.prepare('c')
    const files = snapshotter.directory('c')
    mkdirSync(join(files, 'd'))
    writeFileSync(join(files, 'd/a'), Buffer.alloc(1000))
    linkSync(join(files, 'd/a'), join(files, 'b'))
    symlinkSync('target', join(files, 'l'))
    assert.deepEqual(await snapshotter.usage('c'), { sizeBytes: 1006, inodes: 4 })
  }))

test('OverlaySnapshotter.mounts() removes the mark of a volatile mount, and mounts volatile on request', () =>
  withPlace(async (place) => {
    const snapshotter = await open(place)
    await snapshotter.prepare('unpack')
    await snapshotter.commit('base', 'unpack')
    await snapshotter.prepare('c', 'base')
    const mark = join(place.root, '2/work/work/incompat')
    mkdirSync(join(mark, 'volatile'), { recursive: true })
    const [mount] = await snapshotter.mounts('c', { volatile: true })
    assert.ok(mount?.options.includes('volatile'))
    assert.equal(existsSync(mark), false)
  }))
