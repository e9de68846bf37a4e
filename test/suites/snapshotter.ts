/** What every Snapshotter must do, as far as it can be seen without mounting. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ErrorKind, isKind } from '../../src/base/index.ts'
import type { Snapshotter } from '../../src/snapshots/index.ts'

/** A snapshotter under test and a function that removes it. */
export interface SnapshotterSetup {
  readonly snapshotter: Snapshotter
  teardown(): Promise<void>
}

/** Declares the suite's tests for the snapshotters that `setup` makes. */
export function snapshotterSuite(name: string, setup: () => Promise<SnapshotterSetup>): void {
  const check = (title: string, run: (snapshotter: Snapshotter) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const { snapshotter, teardown } = await setup()
      try {
        await run(snapshotter)
      } finally {
        await teardown()
      }
    })
  }

  check('an active snapshot becomes a committed one and keeps its files', async (snapshotter) => {
    await snapshotter.prepare('unpack')
    writeFileSync(join(snapshotter.directory('unpack'), 'a'), 'text')
    await snapshotter.commit('base', 'unpack', { sizeBytes: 4 })
    assert.equal(readFileSync(join(snapshotter.directory('base'), 'a'), 'utf8'), 'text')
    assert.partialDeepStrictEqual(await snapshotter.find('base'), {
      key: 'base',
      kind: 'committed',
      parent: undefined,
      sizeBytes: 4,
    })
    assert.equal(await snapshotter.find('unpack'), undefined)
    assert.deepEqual(await snapshotter.usage('base'), { sizeBytes: 4, inodes: 2 })
  })

  check('keys and names are unique', async (snapshotter) => {
    await snapshotter.prepare('a')
    await fails(snapshotter.prepare('a'), 'alreadyExists')
    await snapshotter.prepare('b')
    await fails(snapshotter.commit('b', 'a'), 'alreadyExists')
    await snapshotter.commit('base', 'a')
    await fails(snapshotter.commit('base', 'b'), 'alreadyExists')
    assert.equal((await snapshotter.find('b'))?.kind, 'active')
  })

  check('only committed snapshots can be parents, only active ones committed', async (snapshotter) => {
    await fails(snapshotter.prepare('c', 'none'), 'notFound')
    await snapshotter.prepare('a')
    await fails(snapshotter.prepare('c', 'a'), 'conflict')
    await fails(snapshotter.commit('x', 'none'), 'notFound')
    await snapshotter.commit('base', 'a')
    await fails(snapshotter.commit('x', 'base'), 'conflict')
    assert.equal(await snapshotter.find('c'), undefined)
  })

  check('commit() can set the parent late', async (snapshotter) => {
    await snapshotter.prepare('upper')
    await fails(snapshotter.commit('two', 'upper', { parent: 'one' }), 'notFound')
    await snapshotter.prepare('lower')
    await snapshotter.commit('one', 'lower')
    await snapshotter.commit('two', 'upper', { parent: 'one' })
    assert.equal((await snapshotter.find('two'))?.parent, 'one')
    await snapshotter.prepare('c', 'two')
    await fails(snapshotter.commit('three', 'c', { parent: 'one' }), 'conflict')
  })

  check('remove() refuses a snapshot on which others stand', async (snapshotter) => {
    await snapshotter.prepare('a')
    await snapshotter.commit('base', 'a')
    await snapshotter.prepare('c', 'base')
    await fails(snapshotter.remove('base'), 'conflict')
    await snapshotter.remove('c')
    await snapshotter.remove('base')
    await snapshotter.remove('base')
    await fails(snapshotter.mounts('c'), 'notFound')
    assert.throws(
      () => snapshotter.directory('c'),
      (error) => isKind(error, 'notFound'),
    )
    await snapshotter.prepare('base')
  })

  check('walk() gives all', async (snapshotter) => {
    await snapshotter.prepare('a')
    await snapshotter.commit('base', 'a')
    await snapshotter.prepare('c', 'base')
    const found: unknown[] = []
    for await (const { key, kind, parent } of snapshotter.walk()) found.push([key, kind, parent])
    assert.deepEqual(found, [
      ['base', 'committed', undefined],
      ['c', 'active', 'base'],
    ])
  })

  check('mounts() gives the same each time', async (snapshotter) => {
    await snapshotter.prepare('a')
    assert.deepEqual(await snapshotter.mounts('a'), await snapshotter.mounts('a'))
    assert.equal((await snapshotter.mounts('a')).length, 1)
  })
}

async function fails(promise: Promise<unknown>, kind: ErrorKind): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isKind(error, kind), `${String(error)} is not ${kind}`)
    return true
  })
}
