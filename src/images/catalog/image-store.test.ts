import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nullLogger } from '../../base/index.ts'
import { type Digest, digestOf, mediaTypes, parseReference } from '../../oci/index.ts'
import { Database } from '../../store/index.ts'
import type { ImageRecord } from './image.ts'
import { ImageStore } from './image-store.ts'
import { ImageRemoval } from './remove-image.ts'

function record(id: Digest, more: Partial<ImageRecord> = {}): ImageRecord {
  return {
    version: 1,
    id,
    config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
    configSize: 2,
    manifest: { mediaType: mediaTypes.ociManifest, digest: digestOf(`manifest ${id}`), size: 2 },
    layers: [],
    lastTagTime: '',
    ...more,
  }
}

function named(text: string, image: ImageRecord) {
  return { reference: parseReference(text), target: image.manifest }
}

const one = record(`sha256:${'1'.repeat(64)}`)
const two = record(`sha256:12${'2'.repeat(62)}`)

test('ImageStore keeps records and names over a restart', () => {
  const db = Database.open(':memory:')
  const store = ImageStore.open(db, nullLogger)
  store.put(one, [named('a:1', one), named(`a@${one.manifest.digest}`, one)])
  const again = ImageStore.open(db, nullLogger)
  const image = again.resolve('a:1')
  assert.deepEqual([image.references, image.digests], [['a:1'], [`a@${one.manifest.digest}`]])
  assert.equal(again.resolve(`a:other@${one.manifest.digest}`).id, one.id)
  assert.equal(again.resolve(one.manifest.digest).id, one.id)
})

test('ImageStore.resolve() prefers names to ids and refuses ambiguous prefixes', () => {
  const store = ImageStore.open(Database.open(':memory:'), nullLogger)
  store.put(one)
  store.put(two, [named('111:latest', two)])
  assert.equal(store.resolve('111').id, two.id)
  assert.equal(store.resolve('1111').id, one.id)
  assert.equal(store.resolve('sha256:12').id, two.id)
  assert.throws(() => store.resolve('1'), { kind: 'notFound', message: 'No such image: 1:latest' })
  assert.throws(() => store.resolve(`sha256:${'9'.repeat(64)}`), { message: `No such image: sha256:${'9'.repeat(64)}` })
  assert.throws(() => store.resolve('1111', { wholeIds: true }), { kind: 'notFound' })
  assert.equal(store.resolve('111', { wholeIds: true }).id, two.id)
  for (const id of [one.id, one.id.slice(7)]) assert.equal(store.resolve(id, { wholeIds: true }).id, one.id)
  assert.throws(() => store.resolve('a b'), { kind: 'invalidArgument', message: 'invalid reference format' })
  assert.throws(() => store.resolve(''), { kind: 'invalidArgument' })
})

test('ImageStore.put() moves a name from one image to another', () => {
  const store = ImageStore.open(Database.open(':memory:'), nullLogger)
  store.put(one, [named('a:1', one)])
  store.put(two, [named('a:1', two)])
  assert.deepEqual(store.find(one.id)?.references, [])
  assert.deepEqual(store.find(two.id)?.references, ['a:1'])
})

test('ImageRemoval.remove() removes the digests of a repository with its last tag, and parents without names', () => {
  const store = ImageStore.open(Database.open(':memory:'), nullLogger)
  const child = { ...two, parent: one.id }
  store.put(one)
  store.put(child, [named('a:1', child), named(`a@${two.manifest.digest}`, child)])
  const told: string[] = []
  const removal = new ImageRemoval(
    store,
    { containersUsing: () => [] },
    { onUntag: (_, name) => told.push(name), onDelete: ({ id }) => told.push(id) },
  )
  assert.throws(() => removal.remove(one.id, { force: true, prune: true }), { message: /dependent child images/ })
  assert.deepEqual(removal.remove('a:1', { force: false, prune: true }), [
    { Untagged: 'a:1' },
    { Untagged: `a@${two.manifest.digest}` },
    { Deleted: two.id },
    { Deleted: one.id },
  ])
  assert.equal(told.length, 4)
  assert.equal([...store.records()].length, 0)
})
