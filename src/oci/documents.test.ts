import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  chainId,
  chainIds,
  digestOf,
  isDigest,
  mediaTypes,
  parseDescriptor,
  parseDigest,
  parseImageConfig,
  parseManifestDocument,
  platformOfConfig,
} from './index.ts'

const one = `sha256:${'1'.repeat(64)}` as const
const two = `sha256:${'2'.repeat(64)}` as const

test('parseDigest() accepts sha256 and sha512 in lower case only', () => {
  assert.equal(parseDigest(one), one)
  const long = `sha512:${'1'.repeat(128)}`
  assert.equal(parseDigest(long), long)
  assert.equal(digestOf('a', 'sha512').length, long.length)
  assert.equal(isDigest('sha256:xyz'), false)
  for (const text of [
    '',
    'sha256',
    'sha256:',
    `sha512:${'1'.repeat(64)}`,
    `sha384:${'1'.repeat(96)}`,
    `${one}0`,
    one.toUpperCase(),
  ]) {
    assert.throws(() => parseDigest(text), { kind: 'invalidArgument' })
  }
})

test('chainIds() follow the specification', () => {
  assert.deepEqual(chainIds([]), [])
  assert.equal(chainId([]), undefined)
  assert.deepEqual(chainIds([one, two]), [one, digestOf(`${one} ${two}`)])
})

test('parseManifestDocument() reads manifests and indexes of OCI and Docker', () => {
  const config = { mediaType: mediaTypes.dockerConfig, digest: one, size: 2 }
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.dockerManifest, config, layers: [config] }
  const document = parseManifestDocument(JSON.stringify(manifest))
  assert.equal(document.type === 'manifest' && document.manifest.layers.length, 1)
  const index = parseManifestDocument(
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...config, platform: { os: 'linux', architecture: 'arm64' } }] }),
  )
  assert.equal(index.type === 'index' && index.index.manifests[0]?.platform?.architecture, 'arm64')
})

test('parseManifestDocument() refuses schema 1, ambiguous and broken documents', () => {
  assert.throws(() => parseManifestDocument('{"schemaVersion":1}'), /schema 1/)
  assert.throws(() => parseManifestDocument('{"schemaVersion":2,"manifests":[],"layers":[]}'), /ambiguous/)
  for (const text of ['', '[]', '{}', '{"schemaVersion":2}', '{"schemaVersion":2,"layers":[],"config":{}}']) {
    assert.throws(() => parseManifestDocument(text), { kind: 'invalidArgument' }, text)
  }
  assert.throws(() => parseDescriptor({ digest: one, size: -1 }), { kind: 'invalidArgument' })
})

test('parseImageConfig() keeps unknown members and checks diffIDs', () => {
  const config = parseImageConfig(
    JSON.stringify({
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      x: 1,
      rootfs: { type: 'layers', diff_ids: [one] },
    }),
  )
  assert.deepEqual(config.rootfs.diff_ids, [one])
  assert.equal((config as { x?: number }).x, 1)
  assert.deepEqual(platformOfConfig(config), { os: 'linux', architecture: 'arm64' })
  assert.throws(() => parseImageConfig('{"rootfs":{"diff_ids":["x"]}}'), { kind: 'invalidArgument' })
  assert.throws(() => parseImageConfig('{}'), { message: 'invalid image JSON, no RootFS key' })
})
