/** Snapshots on a real overlayfs. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { nullLogger } from '../../../src/base/index.ts'
import { type MountOptions, OverlaySnapshotter } from '../../../src/snapshots/index.ts'
import { Database, SnapshotTable } from '../../../src/store/index.ts'
import { mount, unmount } from '../../../src/sys/index.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'

interface Scene {
  readonly snapshotter: OverlaySnapshotter
  readonly root: string
  /** A committed snapshot with one file, named by its content. */
  layer(name: string, parent?: string): Promise<void>
  /** Runs `look` while the snapshot is mounted. */
  mounted(key: string, look: (target: string) => void, options?: MountOptions): Promise<void>
}

function snapshotTest(title: string, run: (scene: Scene) => Promise<void>): void {
  test(`snapshots: ${title}`, { skip }, async () => {
    const home = mkdtempSync('/tmp/bt-sn-')
    const target = join(home, 'm')
    mkdirSync(target)
    const root = join(home, 's')
    const table = new SnapshotTable(Database.open(':memory:'))
    const snapshotter = await OverlaySnapshotter.open({ root, table, logger: nullLogger })
    const scene: Scene = {
      snapshotter,
      root,
      async layer(name, parent) {
        await snapshotter.prepare(`unpack ${name}`)
        writeFileSync(join(snapshotter.directory(`unpack ${name}`), name), name)
        await snapshotter.commit(name, `unpack ${name}`, { parent })
      },
      async mounted(key, look, options) {
        const mounts = await snapshotter.mounts(key, options)
        try {
          for (const each of mounts) mount(each, target)
          look(target)
        } finally {
          for (const _ of mounts) unmount(target)
        }
      },
    }
    try {
      await run(scene)
      await snapshotter[Symbol.asyncDispose]()
    } finally {
      rmSync(home, { recursive: true })
    }
  })
}

snapshotTest('an active one shows its parents and keeps its own changes', async ({ snapshotter, layer, mounted }) => {
  await layer('one')
  await layer('two', 'one')
  await snapshotter.prepare('c', 'two')
  await mounted('c', (target) => {
    assert.deepEqual(readdirSync(target).sort(), ['one', 'two'])
    writeFileSync(join(target, 'one'), 'changed')
    rmSync(join(target, 'two'))
    writeFileSync(join(target, 'new'), '')
  })
  await mounted('c', (target) => {
    assert.deepEqual(readdirSync(target).sort(), ['new', 'one'])
    assert.equal(readFileSync(join(target, 'one'), 'utf8'), 'changed')
  })
  assert.equal(readFileSync(join(snapshotter.directory('one'), 'one'), 'utf8'), 'one')
  await snapshotter.commit('three', 'c')
  await mounted('three', (target) => {
    assert.deepEqual(readdirSync(target).sort(), ['new', 'one'])
    assert.throws(() => writeFileSync(join(target, 'x'), ''), /EROFS/)
  })
})

snapshotTest('127 layers mount', async ({ snapshotter, layer, mounted }) => {
  let parent: string | undefined
  for (let number = 1; number <= 127; number += 1) {
    await layer(`layer${number}`, parent)
    parent = `layer${number}`
  }
  await snapshotter.prepare('c', parent)
  await mounted('c', (target) => {
    assert.equal(readdirSync(target).length, 127)
    writeFileSync(join(target, 'x'), '')
  })
})

snapshotTest('without parents, and read-only', async ({ snapshotter, layer, mounted }) => {
  await snapshotter.prepare('empty')
  await mounted('empty', (target) => writeFileSync(join(target, 'x'), 'x'))
  assert.ok(existsSync(join(snapshotter.directory('empty'), 'x')))
  await mounted('empty', (target) => assert.throws(() => writeFileSync(join(target, 'y'), ''), /EROFS/), {
    readOnly: true,
  })
  await layer('one')
  await snapshotter.prepare('c', 'one')
  for (const key of ['c', 'one']) {
    await mounted(
      key,
      (target) => {
        assert.equal(readFileSync(join(target, 'one'), 'utf8'), 'one')
        assert.throws(() => writeFileSync(join(target, 'y'), ''), /EROFS/)
      },
      { readOnly: true },
    )
  }
})

snapshotTest('a volatile mount can be mounted again', async ({ snapshotter, layer, mounted }) => {
  await layer('one')
  await snapshotter.prepare('c', 'one')
  for (const volatile of [true, true, false]) {
    await mounted('c', (target) => writeFileSync(join(target, `file-${volatile}`), ''), { volatile })
  }
  await mounted('c', (target) => assert.deepEqual(readdirSync(target).sort(), ['file-false', 'file-true', 'one']))
})

snapshotTest('the root of the tree has owner and mode of the layer', async ({ snapshotter, layer, mounted }) => {
  await layer('one')
  chownSync(snapshotter.directory('one'), 1000, 2000)
  chmodSync(snapshotter.directory('one'), 0o1777)
  await snapshotter.prepare('c', 'one')
  await mounted('c', (target) => {
    const { mode, uid, gid } = statSync(target)
    assert.deepEqual([mode & 0o7777, uid, gid], [0o1777, 1000, 2000])
  })
})

snapshotTest('a removed one leaves nothing', async ({ snapshotter, root, layer, mounted }) => {
  await layer('one')
  await snapshotter.prepare('c', 'one')
  await mounted('c', (target) => writeFileSync(join(target, 'x'), ''))
  await snapshotter.remove('c')
  await snapshotter.remove('one')
  await snapshotter[Symbol.asyncDispose]()
  assert.deepEqual(readdirSync(root), ['trash'])
  assert.deepEqual(readdirSync(join(root, 'trash')), [])
})

snapshotTest(
  'directories that a layer only implies are made like those below',
  async ({ snapshotter, layer, mounted }) => {
    await layer('one')
    const base = snapshotter.directory('one')
    mkdirSync(join(base, 'tmp'))
    chmodSync(join(base, 'tmp'), 0o1777)
    chownSync(join(base, 'tmp'), 7, 8)
    await layer('two', 'one')
    await snapshotter.prepare('unpack three')
    mkdirSync(join(snapshotter.directory('unpack three'), 'tmp/a'), { recursive: true })
    const impliedDirectories = ['tmp', 'tmp/a', 'gone']
    await snapshotter.commit('three', 'unpack three', { parent: 'two', impliedDirectories })
    await snapshotter.prepare('c', 'three')
    await mounted('c', (target) => {
      const { mode, uid, gid } = statSync(join(target, 'tmp'))
      assert.deepEqual([mode & 0o7777, uid, gid], [0o1777, 7, 8])
      assert.equal(statSync(join(target, 'tmp/a')).mode & 0o7777, 0o755)
    })
  },
)
