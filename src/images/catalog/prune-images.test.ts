import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nullLogger } from '../../base/index.ts'
import { type Digest, digestOf, mediaTypes, parseReference } from '../../oci/index.ts'
import { Database } from '../../store/index.ts'
import type { ImageRecord } from './image.ts'
import { ImageStore } from './image-store.ts'
import { prunableImages } from './prune-images.ts'

interface Given {
  readonly names?: readonly string[]
  readonly parent?: string
  readonly created?: string
  readonly labels?: Readonly<Record<string, string>>
}

/** A store with these images, and `prune`, which returns the names of the prunable ones. */
function storeWith(images: Readonly<Record<string, Given>>, used: readonly string[] = []) {
  const store = ImageStore.open(Database.open(':memory:'), nullLogger)
  const nameOf = new Map<Digest, string>()
  for (const [name, { names = [], parent, created = '2026-01-01T00:00:00Z', labels = {} }] of Object.entries(images)) {
    const record: ImageRecord = {
      version: 1,
      id: digestOf(name),
      config: {
        architecture: 'amd64',
        os: 'linux',
        created,
        config: { Labels: labels },
        rootfs: { type: 'layers', diff_ids: [] },
      },
      configSize: 1,
      manifest: { mediaType: mediaTypes.ociManifest, digest: digestOf(`manifest of ${name}`), size: 1 },
      layers: [],
      lastTagTime: '',
      ...(parent === undefined ? {} : { parent: digestOf(parent) }),
    }
    nameOf.set(record.id, name)
    store.put(
      record,
      names.map((text) => ({ reference: parseReference(text), target: record.manifest })),
    )
  }
  const users = new Set(used.map((name) => digestOf(name)))
  const use = { containersUsing: (id: Digest) => (users.has(id) ? [{ id: 'c', name: 'c', running: false }] : []) }
  return (filters: Readonly<Record<string, readonly string[]>> = {}) =>
    prunableImages(store, use, filters).map((id) => nameOf.get(id))
}

test('prunableImages() returns images without a tag that neither containers nor other images use', () => {
  const prune = storeWith(
    { tagged: { names: ['a:1'] }, dangling: {}, used: {}, parent: {}, child: { parent: 'parent', names: ['b:1'] } },
    ['used'],
  )
  assert.deepEqual(prune(), ['dangling'])
  assert.deepEqual(prune({ dangling: ['true'] }), ['dangling'])
})

test('prunableImages() with dangling=false returns all images without containers', () => {
  const prune = storeWith(
    {
      tagged: { names: ['a:1'] },
      used: { names: ['b:1'] },
      named: { names: ['c:1'] },
      parent: {},
      child: { parent: 'parent' },
    },
    ['used'],
  )
  assert.deepEqual(prune({ dangling: ['false'] }).sort(), ['child', 'named', 'tagged'])
})

test('prunableImages() filters by age and labels, newest first', () => {
  const prune = storeWith({
    old: { created: '2025-01-01T00:00:00Z', labels: { keep: '' } },
    older: { created: '2024-01-01T00:00:00Z', labels: { team: 'a' } },
    young: { created: '2026-01-01T00:00:00Z', labels: { team: 'b' } },
  })
  assert.deepEqual(prune(), ['young', 'old', 'older'])
  assert.deepEqual(prune({ until: ['2025-06-01'] }), ['old', 'older'])
  assert.deepEqual(prune({ label: ['team'] }), ['young', 'older'])
  assert.deepEqual(prune({ label: ['team=a'] }), ['older'])
  assert.deepEqual(prune({ 'label!': ['keep', 'team=b'] }), ['older'])
  assert.throws(() => prune({ until: ['1h', '2h'] }), { message: 'more than one until filter specified' })
  assert.throws(() => prune({ before: ['x'] }), { kind: 'invalidArgument', message: "invalid filter 'before'" })
})
