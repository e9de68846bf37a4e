import assert from 'node:assert/strict'
import { utimesSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Background, nullLogger } from '../../base/index.ts'
import { Leases, LocalContentStore } from '../../content/index.ts'
import { EventBus } from '../../events/index.ts'
import { type Digest, digestOf, mediaTypes, parseReference } from '../../oci/index.ts'
import { OverlaySnapshotter } from '../../snapshots/index.ts'
import { Database, LeaseTable, SnapshotTable } from '../../store/index.ts'
import type { ImageLayer, ImageRecord, ImageUser } from '../catalog/image.ts'
import { ImageStore } from '../catalog/image-store.ts'
import { layerIngestKey, newStreamIngestKey } from '../catalog/ingest-keys.ts'
import { ActivityGate } from './activity-gate.ts'
import { ImageGarbage } from './collect-garbage.ts'
import { ImageRemovals } from './image-removals.ts'

/** Stores in a temporary directory, and a collector that looks at them. */
async function setUp(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'bt-gc-'))
  const db = Database.open(':memory:')
  const content = await LocalContentStore.open(join(root, 'content'))
  const table = new SnapshotTable(db)
  const snapshots = await OverlaySnapshotter.open({ root: join(root, 'snapshots'), table, logger: nullLogger })
  t.after(async () => {
    await snapshots[Symbol.asyncDispose]()
    db.close()
    await rm(root, { recursive: true, force: true })
  })
  const [store, leases, gate] = [ImageStore.open(db, nullLogger), new Leases(new LeaseTable(db)), new ActivityGate()]
  const garbage = new ImageGarbage({ store, content, snapshots, leases, gate, logger: nullLogger })

  /** Stores a blob and a snapshot of a layer. */
  async function layer(name: string, parent?: ImageLayer): Promise<ImageLayer> {
    const digest = await content.put(Buffer.from(name))
    const chainId = digestOf(`${name} on ${parent?.chainId ?? 'nothing'}`)
    await snapshots.prepare(name, parent?.chainId)
    await snapshots.commit(chainId, name, { sizeBytes: 100 })
    return {
      diffId: digest,
      chainId,
      blob: { mediaType: mediaTypes.ociLayer, digest, size: name.length },
      sizeBytes: 100,
    }
  }

  /** Stores an image with a config, a manifest and these layers under a name. */
  async function image(name: string, layers: readonly ImageLayer[]): Promise<ImageRecord> {
    const manifest = await content.put(Buffer.from(`manifest of ${name}`))
    const record: ImageRecord = {
      version: 1,
      id: await content.put(Buffer.from(`config of ${name}`)),
      config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
      configSize: 1,
      manifest: { mediaType: mediaTypes.ociManifest, digest: manifest, size: 1 },
      layers,
      lastTagTime: '',
    }
    store.put(record, [{ reference: parseReference(`${name}:1`), target: record.manifest }])
    return record
  }

  const has = async (one: ImageLayer): Promise<boolean[]> => [
    (await content.find(one.blob.digest)) !== undefined,
    (await snapshots.find(one.chainId)) !== undefined,
  ]
  return { content, snapshots, store, leases, gate, garbage, layer, image, has }
}

test('ImageGarbage.sweep() removes what no image references, children first', async (t) => {
  const { garbage, layer, image, has } = await setUp(t)
  const base = await layer('base')
  await image('kept', [base])
  const middle = await layer('middle', base)
  const top = await layer('top', middle)
  const { snapshots, blobs, freedBytes, isPostponed } = await garbage.sweep({ unfinished: true })
  assert.deepEqual(snapshots, [top.chainId, middle.chainId])
  assert.deepEqual([...blobs].sort(), [top.blob.digest, middle.blob.digest].sort())
  assert.equal(freedBytes, 200 + 'top'.length + 'middle'.length)
  assert.equal(isPostponed, false)
  assert.deepEqual(await has(base), [true, true])
})

test('ImageGarbage.sweep() keeps fresh leftovers for a day, unless told otherwise', async (t) => {
  const { garbage, content, layer, has } = await setUp(t)
  const fresh = await layer('fresh')
  const ingest = await content.ingest(layerIngestKey(fresh.blob.digest))
  ingest.write(Buffer.from('begun'))
  ingest.close()
  const old = await content.put(Buffer.from('old'))
  const before = Date.now() / 1000 - 25 * 3600
  utimesSync(content.pathOf(old), before, before)
  await garbage.sweep()
  assert.equal(await content.find(old), undefined)
  assert.deepEqual(await has(fresh), [true, true])
  assert.deepEqual((await garbage.unused()).ingests, [ingest.key])
  await garbage.sweep({ unfinished: true })
  assert.deepEqual(await has(fresh), [false, false])
  assert.deepEqual((await garbage.unused()).ingests, [])
})

test('ImageGarbage keeps what a lease holds, and says that something is left', async (t) => {
  const { garbage, leases, layer, has } = await setUp(t)
  const held = await layer('held')
  const lease = leases.create()
  lease.add({ kind: 'blob', key: held.blob.digest })
  lease.add({ kind: 'snapshot', key: held.chainId })
  const discard = () => garbage.discard(new Set([held.blob.digest]), new Set([held.chainId]))
  assert.equal((await discard()).isPostponed, true)
  assert.deepEqual(await has(held), [true, true])
  lease.release()
  assert.equal((await discard()).isPostponed, false)
  assert.deepEqual(await has(held), [false, false])
})

test('ImageGarbage.sweep() keeps everything that is younger than the oldest maker', async (t) => {
  const { garbage, gate, layer, has } = await setUp(t)
  const made = Promise.withResolvers<ImageLayer>()
  const end = Promise.withResolvers<void>()
  const making = gate.make(async () => {
    made.resolve(await layer('new'))
    await end.promise
  })
  const young = await made.promise
  await garbage.sweep({ unfinished: true })
  assert.deepEqual(await has(young), [true, true])
  end.resolve()
  await making
  await garbage.sweep({ unfinished: true })
  assert.deepEqual(await has(young), [false, false])
})

test('ImageGarbage keeps a layer that a container is based on', async (t) => {
  const { garbage, snapshots, layer, has } = await setUp(t)
  const base = await layer('base')
  await snapshots.prepare('container', base.chainId)
  assert.equal((await garbage.sweep({ unfinished: true })).isPostponed, true)
  assert.deepEqual(await has(base), [false, true])
})

test('ImageGarbage.dropBrokenStreams() drops streams, but no downloads', async (t) => {
  const { garbage, content } = await setUp(t)
  const keys = [layerIngestKey(digestOf('x')), newStreamIngestKey()]
  for (const key of keys) {
    const ingest = await content.ingest(key)
    ingest.write(Buffer.from('begun'))
    ingest.close()
  }
  await garbage.dropBrokenStreams()
  const left: string[] = []
  for await (const { key } of content.unfinished.walk()) left.push(key)
  assert.deepEqual(left, keys.slice(0, 1))
})

/** The same with removals, and containers that use images. */
async function withRemovals(t: TestContext) {
  const parts = await setUp(t)
  const users = new Map<Digest, ImageUser[]>()
  const events = new EventBus()
  const background = new Background(nullLogger)
  const use = { containersUsing: (id: Digest) => users.get(id) ?? [] }
  const removals = new ImageRemovals({ ...parts, use, events, background })
  t.after(async () => {
    removals.close()
    await background.drain()
  })
  return { ...parts, users, events, removals }
}

test('ImageRemovals.remove() lists each removed layer after its image, the uppermost first', async (t) => {
  const { removals, layer, image, events } = await withRemovals(t)
  const base = await layer('base')
  const [one, two] = [await layer('one', base), await layer('two', base)]
  const first = await image('first', [base, one])
  const second = await image('second', [base, two])
  assert.deepEqual(await removals.remove('first:1', { force: false, prune: true }), [
    { Untagged: 'first:1' },
    { Deleted: first.id },
    { Deleted: one.chainId },
  ])
  assert.deepEqual(await removals.remove('second:1', { force: false, prune: true }), [
    { Untagged: 'second:1' },
    { Deleted: second.id },
    { Deleted: two.chainId },
    { Deleted: base.chainId },
  ])
  assert.deepEqual(
    events.since(0n).map(({ Action }) => Action),
    ['untag', 'delete', 'untag', 'delete'],
  )
})

test('ImageRemovals.prune() spares images that containers use, and removes leftovers', async (t) => {
  const { removals, store, users, content, layer, image } = await withRemovals(t)
  const used = await image('used', [await layer('used')])
  await image('unused', [await layer('unused')])
  users.set(used.id, [{ id: 'c', name: 'c', running: false }])
  await content.put(Buffer.from('leftover'))
  const { ImagesDeleted, SpaceReclaimed } = await removals.prune({ dangling: ['false'] })
  assert.deepEqual(
    ImagesDeleted?.map((item) => Object.keys(item)[0]),
    ['Untagged', 'Deleted', 'Deleted'],
  )
  assert.ok(SpaceReclaimed > 100)
  assert.deepEqual(
    [...store.records()].map(({ id }) => id),
    [used.id],
  )
  assert.equal(await content.find(digestOf('leftover')), undefined)
})
