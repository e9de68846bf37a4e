import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { nullLogger } from '../../base/index.ts'
import { Leases, LocalContentStore } from '../../content/index.ts'
import { digestOf, mediaTypes, parseReference } from '../../oci/index.ts'
import { OverlaySnapshotter } from '../../snapshots/index.ts'
import { Database, LeaseTable, SnapshotTable } from '../../store/index.ts'
import type { ImageRecord } from '../catalog/image.ts'
import { ImageStore } from '../catalog/image-store.ts'
import { ActivityGate } from '../gc/activity-gate.ts'
import { ImageGarbage } from '../gc/collect-garbage.ts'
import { checkStore } from './check-store.ts'
import { LayerPool } from './layer-pool.ts'

/** A store with one image of one layer, and one container of it. */
async function setUp(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'bt-ck-'))
  const db = Database.open(':memory:')
  const content = await LocalContentStore.open(join(root, 'content'))
  const table = new SnapshotTable(db)
  const snapshots = await OverlaySnapshotter.open({ root: join(root, 'snapshots'), table, logger: nullLogger })
  const pool = new LayerPool({ size: 1 })
  t.after(async () => {
    await pool.close()
    await snapshots[Symbol.asyncDispose]()
    db.close()
    await rm(root, { recursive: true, force: true })
  })
  const store = ImageStore.open(db, nullLogger)
  const gate = new ActivityGate()
  const leases = new Leases(new LeaseTable(db))
  const garbage = new ImageGarbage({ store, content, snapshots, leases, gate, logger: nullLogger })
  const containers = [{ id: 'c', key: 'container' }]
  const parts = { store, content, snapshots, garbage, pool, containers: () => containers }

  const blob = await content.put(Buffer.from('layer'))
  const id = await content.put(Buffer.from('config'))
  const layerBlob = { mediaType: mediaTypes.ociLayer, digest: blob, size: 5 }
  const config = { mediaType: mediaTypes.ociConfig, digest: id, size: 6 }
  const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layerBlob] }
  const manifest = await content.put(Buffer.from(JSON.stringify(document)))
  const chainId = blob
  await snapshots.prepare('unpack')
  await snapshots.commit(chainId, 'unpack', { sizeBytes: 1 })
  await snapshots.prepare('container', chainId)
  const record: ImageRecord = {
    version: 1,
    id,
    config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [blob] } },
    configSize: 6,
    manifest: { mediaType: mediaTypes.ociManifest, digest: manifest, size: 1 },
    layers: [{ diffId: blob, chainId, blob: layerBlob, sizeBytes: 1 }],
    lastTagTime: '',
  }
  store.put(record, [{ reference: parseReference('a:1'), target: record.manifest }])
  const problems = async () =>
    (await checkStore(parts)).Problems.map(({ Kind, Message }) => `${Kind}: ${Message}`).sort()
  return { ...parts, parts, record, problems }
}

test('checkStore() counts everything and finds nothing wrong with a whole store', async (t) => {
  const { parts, content } = await setUp(t)
  const unused = await content.put(Buffer.from('unused'))
  const { Checked, Problems, Unused } = await checkStore(parts)
  assert.deepEqual(Problems, [])
  assert.partialDeepStrictEqual(Checked, { Images: 1, References: 1, Blobs: 4, Snapshots: 2 })
  assert.deepEqual(Unused, { Blobs: [unused], Layers: [], Unfinished: [] })
})

test('checkStore() reports damaged blobs and blobs of images that are missing', async (t) => {
  const { content, record, problems } = await setUp(t)
  const [layer] = record.layers
  assert.ok(layer !== undefined)
  writeFileSync(content.pathOf(layer.blob.digest), 'other')
  assert.deepEqual(await problems(), [`blob: its content hashes to ${digestOf('other')}`])
  await content.delete(layer.blob.digest)
  await content.delete(record.manifest.digest)
  assert.deepEqual(await problems(), [
    `image: no blob of a layer, ${layer.blob.digest}`,
    `image: no manifest ${record.manifest.digest}`,
    `reference: no manifest ${record.manifest.digest}`,
  ])
})

test('checkStore() reports a manifest that lists other blobs', async (t) => {
  const { store, record, problems } = await setUp(t)
  store.put({ ...record, layers: [] })
  assert.deepEqual(await problems(), [`image: its manifest ${record.manifest.digest} lists other blobs`])
})

test('checkStore() reports missing files of layers and containers', async (t) => {
  const { snapshots, record, problems } = await setUp(t)
  const chainId = String(record.layers[0]?.chainId)
  rmSync(snapshots.directory(chainId), { recursive: true })
  assert.deepEqual(await problems(), ['snapshot: its directory is gone'])
  await snapshots.remove('container')
  await snapshots.remove(chainId)
  assert.deepEqual(await problems(), ['container: its files are gone', `image: no files of layer ${chainId}`])
})

test('checkStore() stops when its signal fires', async (t) => {
  const { parts } = await setUp(t)
  await assert.rejects(checkStore(parts, { signal: AbortSignal.abort(new Error('stop')) }), { message: 'stop' })
})
