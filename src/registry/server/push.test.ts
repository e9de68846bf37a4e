import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { blobDigestOf } from './model/blob-digest.ts'
import {
  dockerListType,
  dockerManifestType,
  ociIndexType,
  ociManifestType,
  RegistryUnderTest,
} from './testing/registry-under-test.ts'

let registry: RegistryUnderTest
const layerType = 'application/vnd.oci.image.layer.v1.tar'
const unknown = blobDigestOf(Buffer.from('unknown'))
const config = {
  mediaType: 'application/vnd.oci.image.config.v1+json',
  digest: blobDigestOf(Buffer.from('{}')),
  size: 2,
}
const layer = { mediaType: layerType, digest: blobDigestOf(Buffer.from('layer')), size: 5 }
const valid = { schemaVersion: 2, mediaType: ociManifestType, config, layers: [layer] }

before(async () => {
  registry = await RegistryUnderTest.start()
  await registry.pushBlob('app', '{}')
  await registry.pushBlob('app', 'layer')
})
after(() => registry[Symbol.asyncDispose]())

test('a manifest is pushed by tag and by digest', async () => {
  // The registry changes no byte, however the JSON is formatted.
  const bytes = `${JSON.stringify(valid, undefined, 3)}\n `
  const digest = blobDigestOf(Buffer.from(bytes))
  for (const reference of ['v1', digest]) {
    const answer = await registry.pushManifest('app', reference, bytes, `${ociManifestType}; charset=utf-8`)
    assert.equal(answer.status, 201, answer.text)
    assert.equal(answer.headers.location, `/v2/app/manifests/${digest}`)
    assert.equal(answer.headers['docker-content-digest'], digest)
    assert.equal(answer.headers['oci-subject'], undefined)
    const pulled = await registry.request('GET', `/v2/app/manifests/${reference}`)
    assert.equal(pulled.text, bytes)
    assert.equal(pulled.headers['content-type'], ociManifestType)
  }
})

test('a manifest is pushed under its sha512 digest', async () => {
  const bytes = Buffer.from(JSON.stringify({ ...valid, annotations: { by: 'sha512' } }))
  const digest = blobDigestOf(bytes, 'sha512')
  const answer = await registry.pushManifest('app', digest, bytes, ociManifestType)
  assert.equal(answer.status, 201, answer.text)
  assert.equal(answer.headers['docker-content-digest'], digest)
  assert.equal((await registry.request('GET', `/v2/app/manifests/${digest}`)).text, bytes.toString())
})

test('the media type may be only in the document or only in the header', async () => {
  for (const [index, [mediaType, contentType]] of (
    [
      [undefined, ociManifestType],
      [undefined, dockerManifestType],
      [dockerManifestType, 'application/json'],
      [undefined, 'application/json'],
    ] as const
  ).entries()) {
    const bytes = JSON.stringify({ ...valid, mediaType, annotations: { index } })
    const answer = await registry.pushManifest('app', `type${index}`, bytes, contentType)
    assert.equal(answer.status, 201, answer.text)
    const pulled = await registry.request('GET', `/v2/app/manifests/type${index}`)
    const expected = mediaType ?? (contentType === 'application/json' ? ociManifestType : contentType)
    assert.equal(pulled.headers['content-type'], expected)
  }
})

test('malformed manifests are refused', async () => {
  const before = await registry.files()
  for (const [title, document, contentType = ociManifestType] of [
    ['not JSON', '{'],
    ['not an object', '[]'],
    ['nothing', ''],
    ['schema 1', JSON.stringify({ schemaVersion: 1, name: 'app', tag: 'x', fsLayers: [] })],
    ['schema 1 type', JSON.stringify(valid), 'application/vnd.docker.distribution.manifest.v1+json'],
    ['another type than it is called', JSON.stringify(valid), dockerManifestType],
    ['an unknown type', JSON.stringify({ ...valid, mediaType: 'a/b' }), 'a/b'],
    ['no config', JSON.stringify({ ...valid, config: undefined })],
    ['no layers', JSON.stringify({ ...valid, layers: undefined })],
    ['layers and manifests', JSON.stringify({ ...valid, manifests: [] })],
    ['a digest that is none', JSON.stringify({ ...valid, layers: [{ ...layer, digest: 'sha256:../../etc' }] })],
    ['no size', JSON.stringify({ ...valid, layers: [{ ...layer, size: undefined }] })],
    ['negative size', JSON.stringify({ ...valid, layers: [{ ...layer, size: -1 }] })],
    ['a broken subject', JSON.stringify({ ...valid, subject: { digest: 'x' } })],
    ['an index with layers', JSON.stringify({ ...valid, mediaType: ociIndexType, manifests: [] }), ociIndexType],
    ['an index without manifests', JSON.stringify({ schemaVersion: 2, mediaType: ociIndexType }), ociIndexType],
  ] as const) {
    const answer = await registry.pushManifest('app', 'bad', document, contentType)
    assert.equal(answer.status, 400, `${title}: ${answer.text}`)
    assert.deepEqual(answer.codes(), ['MANIFEST_INVALID'], title)
  }
  assert.deepEqual(await registry.files(), before)
})

test('malformed references and wrong digests are refused', async () => {
  const bytes = JSON.stringify(valid)
  const before = await registry.files()
  for (const [reference, status, code] of [
    ['.bad', 400, 'MANIFEST_INVALID'],
    ['-bad', 400, 'MANIFEST_INVALID'],
    ['t'.repeat(129), 400, 'MANIFEST_INVALID'],
    [unknown, 400, 'DIGEST_INVALID'],
    ['sha256:abc', 400, 'DIGEST_INVALID'],
    ['md5:d41d8cd98f00b204e9800998ecf8427e', 400, 'DIGEST_INVALID'],
  ] as const) {
    const answer = await registry.pushManifest('app', reference, bytes, ociManifestType)
    assert.equal(answer.status, status, reference)
    assert.deepEqual(answer.codes(), [code], reference)
  }
  assert.deepEqual(await registry.files(), before)
  assert.equal((await registry.pushManifest('app', 't'.repeat(128), bytes, ociManifestType)).status, 201)
})

test('a manifest is refused if the repository lacks one of its blobs', async () => {
  const before = await registry.files()
  const other = blobDigestOf(Buffer.from('other'))
  const missing = { ...valid, config: { ...config, digest: other }, layers: [layer, { ...layer, digest: unknown }] }
  const answer = await registry.pushManifest('app', 'missing', JSON.stringify(missing), ociManifestType)
  assert.equal(answer.status, 404)
  assert.deepEqual(answer.codes(), ['MANIFEST_BLOB_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN'])
  assert.deepEqual(
    answer
      .json()
      .errors.map(({ detail }: { detail: { digest: string } }) => detail.digest)
      .sort(),
    [other, unknown].sort(),
  )
  // The registry has the blobs, but this repository doesn't.
  const elsewhere = await registry.pushManifest('elsewhere', 'x', JSON.stringify(valid), ociManifestType)
  assert.deepEqual([...new Set(elsewhere.codes())], ['MANIFEST_BLOB_UNKNOWN'])
  const list = { schemaVersion: 2, mediaType: ociIndexType, manifests: [{ ...config, digest: unknown }] }
  const index = await registry.pushManifest('app', 'index', JSON.stringify(list), ociIndexType)
  assert.deepEqual(index.codes(), ['MANIFEST_BLOB_UNKNOWN'])
  assert.deepEqual(await registry.files(), before)

  const foreign = {
    mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    digest: unknown,
    size: 5,
    urls: ['https://example.com/layer'],
  }
  const withForeign = JSON.stringify({ ...valid, layers: [layer, foreign] })
  assert.equal((await registry.pushManifest('app', 'foreign', withForeign, ociManifestType)).status, 201)
})

test('indexes of existing manifests and indexes are accepted, sparse ones only if allowed', async () => {
  const { digest, bytes } = await registry.pushImage('lists', undefined)
  const list = JSON.stringify({
    schemaVersion: 2,
    mediaType: dockerListType,
    manifests: [{ mediaType: ociManifestType, digest, size: bytes.length }],
  })
  assert.equal((await registry.pushManifest('lists', 'list', list, dockerListType)).status, 201)
  const outer = JSON.stringify({
    schemaVersion: 2,
    mediaType: ociIndexType,
    manifests: [{ mediaType: dockerListType, digest: blobDigestOf(Buffer.from(list)), size: list.length }],
  })
  assert.equal((await registry.pushManifest('lists', 'outer', outer, ociIndexType)).status, 201)
  await using lax = await RegistryUnderTest.start({ checksIndexes: false })
  assert.equal((await lax.pushManifest('lists', 'outer', outer, ociIndexType)).status, 201)
})

test('the size of a manifest is limited', async () => {
  const before = await registry.files()
  const padded = (size: number) => {
    const empty = JSON.stringify({ ...valid, annotations: { pad: '' } }).length
    return JSON.stringify({ ...valid, annotations: { pad: 'x'.repeat(size - empty) } })
  }
  for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
    const answer = await registry.request('PUT', '/v2/app/manifests/large', {
      headers: { 'content-type': ociManifestType, ...headers },
      body: padded(4 * 1024 * 1024 + 1),
    })
    assert.equal(answer.status, 413)
    assert.deepEqual(answer.codes(), ['SIZE_INVALID'])
  }
  assert.deepEqual(await registry.files(), before)
  assert.equal((await registry.pushManifest('app', 'large', padded(4 * 1024 * 1024), ociManifestType)).status, 201)
})

test('a push honors If-Match and If-None-Match', async () => {
  const put = (headers: Record<string, string>, by: string) =>
    registry.request('PUT', '/v2/app/manifests/cond', {
      headers: { 'content-type': ociManifestType, ...headers },
      body: JSON.stringify({ ...valid, annotations: { by } }),
    })
  assert.equal((await put({ 'if-match': '"x"' }, 'a')).status, 412)
  const first = await put({ 'if-none-match': '*' }, 'a')
  assert.equal(first.status, 201)
  assert.equal((await put({ 'if-none-match': '*' }, 'b')).status, 412)
  assert.equal((await put({ 'if-match': `"${unknown}"` }, 'b')).status, 412)
  assert.equal((await registry.request('GET', '/v2/app/manifests/cond')).headers.etag, first.headers.etag)
  assert.equal((await put({ 'if-match': String(first.headers.etag) }, 'b')).status, 201)
})

test('a push moves a tag, and both manifests stay', async () => {
  const one = await registry.pushImage('moving', 'tag', { annotations: { n: '1' } })
  const two = await registry.pushImage('moving', 'tag', { annotations: { n: '2' } })
  assert.equal((await registry.request('GET', '/v2/moving/manifests/tag')).text, two.bytes.toString())
  assert.equal((await registry.request('GET', `/v2/moving/manifests/${one.digest}`)).text, one.bytes.toString())
})
