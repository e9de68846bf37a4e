import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nullLogger } from '../base/index.ts'
import { type Digest, digestOf, hostPlatform, mediaTypes, parseReference } from '../oci/index.ts'
import { Database } from '../store/index.ts'
import type { ImageRecord } from './image.ts'
import { ImageStore } from './image-store.ts'
import { isOnlyMember, namedIndex } from './index-members.ts'
import { listImages } from './list-images.ts'
import { prunableImages } from './prune-images.ts'
import { ImageRemoval } from './remove-image.ts'

const index = { mediaType: mediaTypes.ociIndex, digest: digestOf('index'), size: 2 }
const nobody = { containersUsing: () => [] }

function record(architecture: string): ImageRecord {
  return {
    version: 1,
    id: digestOf(architecture),
    config: { architecture, os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
    configSize: 2,
    manifest: { mediaType: mediaTypes.ociManifest, digest: digestOf(`manifest ${architecture}`), size: 2 },
    layers: [],
    lastTagTime: '',
  }
}

const host = record(hostPlatform().architecture)
const other = record('s390x')

function storeWith(...names: readonly string[]): { readonly store: ImageStore; readonly db: Database } {
  const db = Database.open(':memory:')
  const store = ImageStore.open(db, nullLogger)
  const targets = names.map((name) => ({ reference: parseReference(name), target: index }))
  store.putAll(namedIndex(store, index, [other, host], targets))
  return { store, db }
}

function remove(store: ImageStore, name: string, force = false, used: Digest | undefined = undefined) {
  const use = {
    containersUsing: (id: Digest) => (id === used ? [{ id: 'c'.repeat(64), name: 'c', running: false }] : []),
  }
  const removal = new ImageRemoval(store, use, { onUntag() {}, onDelete() {} })
  return removal.remove(name, { force, prune: true })
}

test('a name of an index has the image that suits the host, and the others by their platform', () => {
  const { store, db } = storeWith('a:1')
  const platform = { os: 'linux', architecture: 's390x' }
  for (const one of [store, ImageStore.open(db, nullLogger)]) {
    assert.equal(one.resolve('a:1').id, host.id)
    assert.equal(one.resolve('a:1', { platform }).id, other.id)
    assert.throws(() => one.resolve('a:1', { platform: { os: 'linux', architecture: 'mips' } }), { kind: 'notFound' })
  }
})

test('members of an index are listed as manifests, and not pruned', () => {
  const { store } = storeWith('a:1')
  const [only, ...more] = listImages(store, nobody, { all: true, filters: {}, manifests: true })
  assert.deepEqual([only?.Id, more.length], [host.id, 0])
  assert.deepEqual(only?.Descriptor, index)
  assert.deepEqual(
    only?.Manifests?.map(({ ID }) => ID),
    [host.manifest.digest, other.manifest.digest],
  )
  assert.deepEqual(prunableImages(store, nobody, {}), [])
})

test('members go with the last name of their index', () => {
  const { store } = storeWith('a:1', 'b:1')
  assert.deepEqual(remove(store, 'a:1'), [{ Untagged: 'a:1' }])
  assert.throws(() => remove(store, other.id), {
    kind: 'conflict',
    message: /\(must be forced\) - image belongs to b:1, which is for several platforms$/,
  })
  assert.deepEqual(remove(store, 'b:1'), [{ Untagged: 'b:1' }, { Deleted: host.id }, { Deleted: other.id }])
  assert.deepEqual([...store.records()], [])
})

test('a member that a container uses stays, as an image without a name', () => {
  const { store } = storeWith('a:1')
  remove(store, 'a:1', false, other.id)
  const [left] = [...store.records()]
  assert.equal(left?.id, other.id)
  assert.equal(left !== undefined && isOnlyMember(store, left), false)
  assert.deepEqual(prunableImages(store, nobody, {}), [other.id])
})

test('by force one member goes alone', () => {
  const { store } = storeWith('a:1')
  assert.deepEqual(remove(store, other.id, true), [{ Deleted: other.id }])
  assert.equal(store.resolve('a:1').id, host.id)
})
