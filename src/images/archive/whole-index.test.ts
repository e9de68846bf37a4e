import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { nullLogger } from '../../base/index.ts'
import { LocalContentStore } from '../../content/index.ts'
import { type Descriptor, digestOf, mediaTypes, parseReference } from '../../oci/index.ts'
import { Database } from '../../store/index.ts'
import type { ImageRecord } from '../catalog/image.ts'
import { ImageStore } from '../catalog/image-store.ts'
import { wholeIndexes } from './whole-index.ts'

/** An image store with content, and `document`, which stores a JSON document as a blob. */
async function setUp(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'bt-wi-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const content = await LocalContentStore.open(root)
  const store = ImageStore.open(Database.open(':memory:'), nullLogger)
  const document = async (mediaType: string, body: object): Promise<Descriptor> => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...body }))
    return { mediaType, digest: await content.put(bytes), size: bytes.length }
  }
  return { content, store, document }
}

const blob = (name: string): Descriptor => ({ mediaType: mediaTypes.ociLayer, digest: digestOf(name), size: 1 })

function record(manifest: Descriptor, more: Partial<ImageRecord> = {}): ImageRecord {
  return {
    version: 1,
    id: digestOf(`config of ${manifest.digest}`),
    config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
    configSize: 2,
    manifest,
    layers: [],
    lastTagTime: '',
    ...more,
  }
}

async function twoImages(t: TestContext) {
  const { content, store, document } = await setUp(t)
  const config = { ...blob('config'), mediaType: mediaTypes.ociConfig }
  const one = await document(mediaTypes.ociManifest, { config, layers: [blob('one')] })
  const two = await document(mediaTypes.ociManifest, { config, layers: [blob('two')] })
  const attestation = await document(mediaTypes.ociManifest, { config, layers: [blob('statement')] })
  const index = await document(mediaTypes.ociIndex, { manifests: [one, two, attestation] })
  return { content, store, one, two, attestation, index }
}

test('wholeIndexes() finds an index whose images and attestations are all stored', async (t) => {
  const { content, store, one, two, attestation, index } = await twoImages(t)
  const first = record(one, { attachments: [attestation], partOf: [index.digest] })
  const second = record(two, { partOf: [index.digest] })
  const [a, b] = [parseReference('a:1'), parseReference('a:2')]
  store.put(first, [
    { reference: a, target: index },
    { reference: b, target: one },
  ])
  store.put(second)
  const [whole, ...more] = await wholeIndexes({ store, content }, first, [a, b])
  assert.equal(more.length, 0)
  assert.deepEqual(whole?.references, [a])
  assert.deepEqual(
    whole?.members.map(({ id }) => id),
    [first.id, second.id],
  )
  assert.deepEqual(
    whole?.attached.map(({ digest }) => digest),
    [attestation.digest, digestOf('config'), digestOf('statement')],
  )
})

test('wholeIndexes() skips an index of which an image, an attestation or the document is missing', async (t) => {
  const { content, store, one, two, attestation, index } = await twoImages(t)
  const reference = parseReference('a:1')
  const first = record(one, { attachments: [attestation], partOf: [index.digest] })
  const find = () => wholeIndexes({ store, content }, first, [reference])
  store.put(first, [{ reference, target: index }])
  assert.deepEqual(await find(), [], 'an image is missing')
  store.put(record(two, { partOf: [index.digest] }))
  assert.equal((await find()).length, 1)
  const bare = { ...first, attachments: [] }
  assert.deepEqual(await wholeIndexes({ store, content }, bare, [reference]), [], 'an attestation is missing')
  await content.delete(index.digest)
  assert.deepEqual(await find(), [], 'the index is missing')
})
