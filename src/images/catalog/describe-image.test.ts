import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notFound, zeroTime } from '../../base/index.ts'
import { type Digest, digestOf, mediaTypes, type OciImageConfig } from '../../oci/index.ts'
import { imageHistory, inspectImage } from './describe-image.ts'
import type { Image, ImageLayer } from './image.ts'

function layer(name: string, sizeBytes: number): ImageLayer {
  const digest = digestOf(name)
  return { diffId: digest, chainId: digest, blob: { mediaType: mediaTypes.ociLayerGzip, digest, size: 1 }, sizeBytes }
}

function image(name: string, more: Partial<Image> & { readonly config?: OciImageConfig } = {}): Image {
  const { layers = [] } = more
  return {
    id: digestOf(name),
    references: [`${name}:1`],
    digests: [],
    config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
    manifest: { mediaType: mediaTypes.ociManifest, digest: digestOf(`manifest of ${name}`), size: 2 },
    layers,
    chainId: layers.at(-1)?.chainId,
    platform: { os: 'linux', architecture: 'amd64' },
    sizeBytes: 5,
    created: zeroTime,
    parent: undefined,
    isIntermediate: false,
    lastTagTime: '',
    ...more,
  }
}

const config: OciImageConfig = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } }

test('inspectImage() lists the directories of the layers, the uppermost first', () => {
  const layers = [layer('base', 1), layer('middle', 2), layer('top', 3)]
  const names = new Map<Digest, string>(layers.map(({ chainId }, at) => [chainId, `/s/${at}/fs`]))
  const found = inspectImage(image('a', { layers }), { directory: (chainId) => String(names.get(chainId)) })
  assert.deepEqual(found.GraphDriver, {
    Name: 'overlay2',
    Data: { LowerDir: '/s/1/fs:/s/0/fs', MergedDir: '/s/2/merged', UpperDir: '/s/2/fs', WorkDir: '/s/2/work' },
  })
  const single = inspectImage(image('a', { layers: layers.slice(0, 1) }), { directory: () => '/s/0/fs' })
  assert.ok(single.GraphDriver?.Data !== null && !('LowerDir' in (single.GraphDriver?.Data ?? {})))
})

test('inspectImage() has no directories for an image without layers, or with lost ones', () => {
  const lost = image('a', { layers: [layer('base', 1)] })
  const directory = () => {
    throw notFound('no snapshot')
  }
  for (const one of [image('a'), lost]) assert.equal(inspectImage(one, { directory }).GraphDriver?.Data, null)
})

test('inspectImage() omits a creation time that the config does not have', () => {
  const directory = () => ''
  assert.ok(!('Created' in inspectImage(image('a'), { directory })))
  const dated = image('a', { created: '2026-01-02T03:04:05Z' })
  assert.equal(inspectImage(dated, { directory }).Created, '2026-01-02T03:04:05Z')
  assert.equal(inspectImage(dated, { directory }).Metadata?.LastTagTime, zeroTime)
})

test('imageHistory() pairs steps with layers, newest first, and adds layers without a step', () => {
  const history = [
    { created_by: 'ADD', created: '1970-01-01T00:00:07Z' },
    { created_by: 'ENV', empty_layer: true },
  ]
  const shown = imageHistory(
    image('a', { config: { ...config, history }, layers: [layer('base', 10), layer('extra', 20)] }),
    () => undefined,
  )
  assert.deepEqual(
    shown.map(({ CreatedBy, Size, Created }) => [CreatedBy, Size, Created]),
    [
      ['', 20, 0],
      ['ENV', 0, 0],
      ['ADD', 10, 7],
    ],
  )
  assert.deepEqual([shown[0]?.Id, shown[0]?.Tags, shown[1]?.Id], [digestOf('a'), ['a:1'], '<missing>'])
})

test('imageHistory() shows the parents that are stored', () => {
  const history = [{ created_by: 'one' }, { created_by: 'two' }, { created_by: 'three' }]
  const parent = image('parent', { references: [] })
  const child = image('child', { config: { ...config, history }, parent: parent.id })
  assert.deepEqual(
    imageHistory(child, (id) => (id === parent.id ? parent : undefined)).map(({ Id, Tags }) => [Id, Tags]),
    [
      [child.id, ['child:1']],
      [parent.id, null],
      ['<missing>', null],
    ],
  )
})
