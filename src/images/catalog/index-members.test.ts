import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nullLogger } from '../../base/index.ts'
import { type Digest, digestOf, hostPlatform, mediaTypes, parseReference } from '../../oci/index.ts'
import { Database } from '../../store/index.ts'
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

interface Removal {
  readonly force?: boolean
  readonly used?: Digest
  readonly running?: boolean
  readonly architectures?: readonly string[]
}

function remove(store: ImageStore, name: string, options: Removal = {}) {
  const { force = false, used, running = false, architectures = [] } = options
  const use = {
    containersUsing: (id: Digest) => (id === used ? [{ id: 'c'.repeat(64), name: 'c', running }] : []),
  }
  const removal = new ImageRemoval(store, use, { onUntag() {}, onDelete() {} })
  const platforms = architectures.map((architecture) => ({ os: 'linux', architecture }))
  return removal.remove(name, { force, prune: true, platforms })
}

test('the name of an index resolves to the image that suits the host, and with a platform to the others', () => {
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

test('members are removed with the last name of their index', () => {
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
  remove(store, 'a:1', { used: other.id })
  const [left] = [...store.records()]
  assert.equal(left?.id, other.id)
  assert.equal(left !== undefined && isOnlyMember(store, left), false)
  assert.deepEqual(prunableImages(store, nobody, {}), [other.id])
})

test('force removes a single member', () => {
  const { store } = storeWith('a:1')
  assert.deepEqual(remove(store, other.id, { force: true }), [{ Deleted: other.id }])
  assert.equal(store.resolve('a:1').id, host.id)
})

const own = host.config.architecture

test('removing one platform of a name keeps the name for the others', () => {
  const { store, db } = storeWith('a:1')
  assert.deepEqual(remove(store, 'a:1', { architectures: [own, own] }), [{ Deleted: host.id }])
  for (const one of [store, ImageStore.open(db, nullLogger)]) {
    assert.deepEqual([one.resolve('a:1').id, one.names.lookUp('a:1')?.target], [other.id, index])
  }
  assert.throws(() => remove(store, 'a:1', { architectures: [own] }), {
    kind: 'notFound',
    message: `image with reference a:1 was found but does not provide the specified platform (linux/${own})`,
  })
  assert.deepEqual(remove(store, 'a:1', { architectures: ['s390x'] }), [{ Untagged: 'a:1' }, { Deleted: other.id }])
})

test('removing all platforms removes the name, and an unknown platform removes nothing', () => {
  const { store } = storeWith('a:1')
  assert.throws(() => remove(store, 'a:1', { architectures: ['s390x', 'mips'] }), { kind: 'notFound' })
  assert.equal([...store.records()].length, 2)
  const items = remove(store, 'a:1', { architectures: ['s390x', own] })
  assert.deepEqual(items, [{ Untagged: 'a:1' }, { Deleted: host.id }, { Deleted: other.id }])
})

test('a platform that a container or another name needs stays, unless it is forced', () => {
  const { store } = storeWith('a:1')
  const architectures = ['s390x']
  const stopped = { used: other.id, architectures }
  assert.throws(() => remove(store, 'a:1', stopped), /must be forced.*stopped container/)
  assert.throws(() => remove(store, 'a:1', { ...stopped, running: true, force: true }), /cannot be forced.*running/)
  assert.deepEqual(remove(store, 'a:1', { ...stopped, force: true }), [{ Deleted: other.id }])
  const two = storeWith('a:1', 'b:1').store
  assert.throws(() => remove(two, 'a:1', { architectures }), /must be forced.*multiple repositories/)
  assert.deepEqual(remove(two, 'a:1', { architectures, force: true }), [{ Deleted: other.id }])
  assert.deepEqual([two.resolve('a:1').id, two.resolve('b:1').id], [host.id, host.id])
})
