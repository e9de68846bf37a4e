import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { nullLogger } from '../../base/index.ts'
import { Leases, LocalContentStore } from '../../content/index.ts'
import { type Descriptor, digestOf, mediaTypes } from '../../oci/index.ts'
import { Database, LeaseTable } from '../../store/index.ts'
import type { ImageLayer, ImageRecord } from '../catalog/image.ts'
import { ImageStore } from '../catalog/image-store.ts'
import { compressLayer, isUncompressed } from './compress-layer.ts'

const bytes = Buffer.alloc(300_000, 'tar')

/** Stores with one uncompressed layer. */
async function setUp(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'bt-cl-'))
  const db = Database.open(':memory:')
  t.after(async () => {
    db.close()
    await rm(root, { recursive: true, force: true })
  })
  const content = await LocalContentStore.open(root)
  const store = ImageStore.open(db, nullLogger)
  const leases = new Leases(new LeaseTable(db))
  const digest = await content.put(bytes)
  const blob = { mediaType: mediaTypes.ociLayer, digest, size: bytes.length }
  const layer: ImageLayer = { diffId: digest, chainId: digest, blob, sizeBytes: bytes.length }
  return { content, store, leases, layer }
}

function imageWith(layer: ImageLayer): ImageRecord {
  return {
    version: 1,
    id: digestOf('image'),
    config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [layer.diffId] } },
    configSize: 1,
    manifest: { mediaType: mediaTypes.ociManifest, digest: digestOf('manifest'), size: 1 },
    layers: [layer],
    lastTagTime: '',
  }
}

test('isUncompressed() is true for plain layers of OCI and Docker', () => {
  const of = (mediaType: string): Descriptor => ({ mediaType, digest: digestOf(''), size: 0 })
  assert.deepEqual(
    [mediaTypes.ociLayer, mediaTypes.dockerLayer, mediaTypes.ociLayerGzip].map((type) => isUncompressed(of(type))),
    [true, true, false],
  )
})

test('compressLayer() stores the layer compressed, always as the same bytes, and leases it', async (t) => {
  const { content, store, leases, layer } = await setUp(t)
  using lease = leases.create()
  const statuses = new Set<string | undefined>()
  const first = await compressLayer({ store, content }, layer, lease, {
    onProgress: ({ status }) => statuses.add(status),
  })
  assert.equal(first.mediaType, mediaTypes.ociLayerGzip)
  const stored = await content.read(first.digest)
  assert.equal(first.size, stored.length)
  assert.ok(gunzipSync(stored).equals(bytes))
  assert.ok(leases.holds({ kind: 'blob', key: first.digest }))
  assert.deepEqual([...statuses], ['Compressing'])
  await content.delete(first.digest)
  assert.deepEqual(await compressLayer({ store, content }, layer, lease, {}), first)
})

test('compressLayer() takes the blob of another image, if it is stored', async (t) => {
  const { content, store, leases, layer } = await setUp(t)
  using lease = leases.create()
  const digest = await content.put(Buffer.from('compressed elsewhere'))
  const known = { mediaType: mediaTypes.dockerLayerGzip, digest, size: 20 }
  store.put(imageWith({ ...layer, blob: known }))
  assert.deepEqual(await compressLayer({ store, content }, layer, lease, {}), known)
  assert.ok(leases.holds({ kind: 'blob', key: digest }))
  await content.delete(digest)
  assert.equal((await compressLayer({ store, content }, layer, lease, {})).mediaType, mediaTypes.ociLayerGzip)
})

test('compressLayer() leaves nothing behind when it is canceled', async (t) => {
  const { content, store, leases, layer } = await setUp(t)
  using lease = leases.create()
  const signal = AbortSignal.abort()
  await assert.rejects(compressLayer({ store, content }, layer, lease, { signal }), { kind: 'cancelled' })
  for await (const { key } of content.unfinished.walk()) assert.fail(key)
  const blobs: string[] = []
  for await (const { digest } of content.walk()) blobs.push(digest)
  assert.deepEqual(blobs, [layer.blob.digest])
})
