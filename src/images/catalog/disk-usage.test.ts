import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { nullLogger } from '../../base/index.ts'
import { LocalContentStore } from '../../content/index.ts'
import { digestOf, mediaTypes, parseReference } from '../../oci/index.ts'
import { OverlaySnapshotter } from '../../snapshots/index.ts'
import { Database, SnapshotTable } from '../../store/index.ts'
import { imageDiskUsage } from './disk-usage.ts'
import type { ImageLayer, ImageRecord } from './image.ts'
import { ImageStore } from './image-store.ts'

function layer(name: string, packedBytes: number, sizeBytes: number): ImageLayer {
  const digest = digestOf(name)
  const blob = { mediaType: mediaTypes.ociLayerGzip, digest, size: packedBytes }
  return { diffId: digest, chainId: digestOf(`chain of ${name}`), blob, sizeBytes }
}

function record(name: string, layers: readonly ImageLayer[]): ImageRecord {
  return {
    version: 1,
    id: digestOf(name),
    config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
    configSize: 3,
    manifest: { mediaType: mediaTypes.ociManifest, digest: digestOf(`manifest of ${name}`), size: 4 },
    layers,
    lastTagTime: '',
  }
}

test('imageDiskUsage() counts shared parts once in the total, and in every image', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'bt-du-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const db = Database.open(':memory:')
  const store = ImageStore.open(db, nullLogger)
  const content = await LocalContentStore.open(join(root, 'content'))
  const table = new SnapshotTable(db)
  await using snapshots = await OverlaySnapshotter.open({ root: join(root, 'snapshots'), table, logger: nullLogger })
  const [base, own] = [layer('base', 10, 100), layer('own', 20, 200)]
  for (const [name, layers] of [
    ['one', [base]],
    ['two', [base, own]],
  ] as const) {
    const image = record(name, layers)
    store.put(image, [{ reference: parseReference(`${name}:1`), target: image.manifest }])
  }
  await content.put(Buffer.alloc(50))
  for (const { chainId, sizeBytes } of [base, own]) {
    await snapshots.prepare('unpack')
    await snapshots.commit(chainId, 'unpack', { sizeBytes })
  }
  await snapshots.prepare('container', base.chainId)
  const usage = await imageDiskUsage({ store, content, snapshots, use: { containersUsing: () => [] } })
  assert.equal(usage.totalBytes, 50 + 100 + 200)
  const sizes = new Map(usage.images.map(({ RepoTags, Size, SharedSize }) => [RepoTags[0], [Size, SharedSize]]))
  assert.deepEqual(sizes.get('one:1'), [3 + 4 + 10 + 100, 10 + 100])
  assert.deepEqual(sizes.get('two:1'), [3 + 4 + 10 + 100 + 20 + 200, 10 + 100])
})
