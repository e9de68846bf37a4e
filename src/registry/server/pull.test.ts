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
let image: Awaited<ReturnType<RegistryUnderTest['pushImage']>>
const layer = '0123456789'
const layerDigest = blobDigestOf(Buffer.from(layer))
const unknown = blobDigestOf(Buffer.from('unknown'))

before(async () => {
  registry = await RegistryUnderTest.start()
  image = await registry.pushImage('team/app', '1.0', { layers: [layer] })
  await registry.pushBlob('team/app', '')
})
after(() => registry[Symbol.asyncDispose]())

interface Row {
  readonly title: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly status: number
  readonly body?: string
  readonly answer?: Readonly<Record<string, string | undefined>>
  readonly codes?: readonly string[]
}

/** Each path is requested with GET and HEAD, whose answers must agree. */
function table(title: string, rows: () => readonly Row[]): void {
  test(title, async () => {
    for (const row of rows()) for (const method of ['GET', 'HEAD']) await check(row, method)
  })
}

async function check(row: Row, method: string): Promise<void> {
  const name = `${method} ${row.path} (${row.title})`
  const answer = await registry.request(method, row.path, { headers: row.headers })
  if (method === 'HEAD' && (row.status === 206 || row.status === 416)) {
    // Ranges apply to GET only.
    assert.equal(answer.status, 200, name)
    assert.equal(answer.headers['content-length'], `${layer.length}`, name)
    return
  }
  assert.equal(answer.status, row.status, `${name}: ${answer.text}`)
  assert.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0', name)
  for (const [header, value] of Object.entries(row.answer ?? {})) {
    assert.equal(answer.headers[header], value, `${name}: ${header}`)
  }
  if (method === 'HEAD') {
    assert.equal(answer.body.length, 0, name)
    return
  }
  if (row.body !== undefined) assert.equal(answer.text, row.body, name)
  if (row.codes !== undefined) assert.deepEqual(answer.codes(), row.codes, name)
}

table('base', () => [
  { title: 'version', path: '/v2/', status: 200, body: '{}', answer: { 'content-length': '2' } },
  { title: 'without slash', path: '/v2', status: 200, body: '{}' },
  { title: 'elsewhere', path: '/v3/', status: 404, codes: ['UNSUPPORTED'] },
  { title: 'nothing of the sort', path: '/v2/team/app', status: 404, codes: ['UNSUPPORTED'] },
])

table('blobs', () => {
  const path = `/v2/team/app/blobs/${layerDigest}`
  const common = {
    'docker-content-digest': layerDigest,
    etag: `"${layerDigest}"`,
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
  }
  const part = (contentRange: string, length: number) => ({
    ...common,
    'content-range': contentRange,
    'content-length': `${length}`,
  })
  return [
    { title: 'whole', path, status: 200, body: layer, answer: { ...common, 'content-length': '10' } },
    { title: 'escaped colon', path: path.replace(':', '%3A'), status: 200, body: layer },
    { title: 'empty', path: `/v2/team/app/blobs/${blobDigestOf(Buffer.alloc(0))}`, status: 200, body: '' },
    ...(
      [
        ['bytes=0-', '0-9', layer],
        ['bytes=3-', '3-9', '3456789'],
        ['bytes=3-5', '3-5', '345'],
        ['bytes=9-9', '9-9', '9'],
        ['bytes=8-99', '8-9', '89'],
        ['bytes=-3', '7-9', '789'],
        ['bytes=-99', '0-9', layer],
      ] as const
    ).map(([range, given, body]) => ({
      title: range,
      path,
      headers: { range },
      status: 206,
      body,
      answer: part(`bytes ${given}/10`, body.length),
    })),
    ...['bytes=10-', 'bytes=10-12', 'bytes=-0'].map((range) => ({
      title: range,
      path,
      headers: { range },
      status: 416,
      answer: { 'content-range': 'bytes */10' },
      codes: ['SIZE_INVALID'],
    })),
    // Malformed and multiple ranges are ignored.
    ...['bytes=5-3', 'bytes=-', 'items=0-1', 'bytes=0-1,3-4', 'x'].map((range) => ({
      title: range,
      path,
      headers: { range },
      status: 200,
      body: layer,
    })),
    {
      title: 'the same as the client has',
      path,
      headers: { 'if-none-match': `"${layerDigest}"` },
      status: 304,
      body: '',
      answer: { 'content-length': undefined, etag: `"${layerDigest}"` },
    },
    { title: 'another', path, headers: { 'if-none-match': '"x"' }, status: 200, body: layer },
    {
      title: 'range of what the client began',
      path,
      headers: { range: 'bytes=5-', 'if-range': `"${layerDigest}"` },
      status: 206,
      body: '56789',
    },
    {
      title: 'range of something else',
      path,
      headers: { range: 'bytes=5-', 'if-range': '"other"' },
      status: 200,
      body: layer,
    },
    { title: 'unknown', path: `/v2/team/app/blobs/${unknown}`, status: 404, codes: ['BLOB_UNKNOWN'] },
    { title: 'of another repository', path: `/v2/other/blobs/${layerDigest}`, status: 404, codes: ['BLOB_UNKNOWN'] },
    ...['sha256:abc', 'md5:d41d8cd98f00b204e9800998ecf8427e', `sha256:${'A'.repeat(64)}`, 'x', `${layerDigest}0`].map(
      (digest) => ({
        title: 'no digest',
        path: `/v2/team/app/blobs/${digest}`,
        status: 400,
        codes: ['DIGEST_INVALID'],
      }),
    ),
  ]
})

table('manifests', () => {
  const answer = {
    'content-type': ociManifestType,
    'docker-content-digest': image.digest,
    etag: `"${image.digest}"`,
    'content-length': `${image.bytes.length}`,
  }
  const body = image.bytes.toString()
  const byTag = '/v2/team/app/manifests/1.0'
  return [
    { title: 'by tag', path: byTag, status: 200, body, answer },
    { title: 'by digest', path: `/v2/team/app/manifests/${image.digest}`, status: 200, body, answer },
    { title: 'escaped colon', path: `/v2/team/app/manifests/${image.digest.replace(':', '%3a')}`, status: 200, body },
    { title: 'unknown tag', path: '/v2/team/app/manifests/2.0', status: 404, codes: ['MANIFEST_UNKNOWN'] },
    { title: 'unknown digest', path: `/v2/team/app/manifests/${unknown}`, status: 404, codes: ['MANIFEST_UNKNOWN'] },
    { title: 'unknown repository', path: '/v2/nope/manifests/1.0', status: 404, codes: ['MANIFEST_UNKNOWN'] },
    { title: 'no tag', path: '/v2/team/app/manifests/.INVALID', status: 404, codes: ['MANIFEST_UNKNOWN'] },
    { title: 'no digest', path: '/v2/team/app/manifests/sha256:zz', status: 400, codes: ['DIGEST_INVALID'] },
    { title: 'accepted', path: byTag, headers: { accept: `a/b, ${ociManifestType};q=0.5` }, status: 200, body },
    { title: 'anything accepted', path: byTag, headers: { accept: '*/*' }, status: 200, body },
    {
      title: 'not accepted',
      path: byTag,
      headers: { accept: dockerManifestType },
      status: 404,
      codes: ['MANIFEST_UNKNOWN'],
    },
    { title: 'the same', path: byTag, headers: { 'if-none-match': `"${image.digest}"` }, status: 304, body: '' },
    { title: 'the same, no quotes', path: byTag, headers: { 'if-none-match': image.digest }, status: 304 },
    { title: 'changed', path: byTag, headers: { 'if-none-match': `"${unknown}"` }, status: 200, body },
  ]
})

test("a client that doesn't accept lists gets the image for linux/amd64 by tag", async () => {
  const docker = { mediaType: dockerManifestType }
  const arm = await registry.pushImage('multi', undefined, { ...docker, layers: ['arm'] })
  const amd = await registry.pushImage('multi', undefined, { ...docker, layers: ['amd'] })
  const entry = ({ digest, bytes }: typeof arm, architecture: string) => ({
    ...docker,
    digest,
    size: bytes.length,
    platform: { os: 'linux', architecture },
  })
  const list = JSON.stringify({
    schemaVersion: 2,
    mediaType: dockerListType,
    manifests: [entry(arm, 'arm64'), entry(amd, 'amd64')],
  })
  assert.equal((await registry.pushManifest('multi', 'latest', list, dockerListType)).status, 201)
  const get = (reference: string, accept: string) =>
    registry.request('GET', `/v2/multi/manifests/${reference}`, { headers: { accept } })

  const whole = await get('latest', `${dockerManifestType}, ${dockerListType}`)
  assert.equal(whole.text, list)
  assert.equal(whole.headers['content-type'], dockerListType)
  const one = await get('latest', dockerManifestType)
  assert.equal(one.text, amd.bytes.toString())
  assert.equal(one.headers['docker-content-digest'], amd.digest)
  const digest = blobDigestOf(Buffer.from(list))
  assert.deepEqual((await get(digest, dockerManifestType)).codes(), ['MANIFEST_UNKNOWN'])
  assert.deepEqual((await get('latest', ociIndexType)).codes(), ['MANIFEST_UNKNOWN'])
})
