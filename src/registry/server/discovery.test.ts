import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blobDigestOf } from './model/blob-digest.ts'
import { ociIndexType, ociManifestType, RegistryUnderTest } from './testing/registry-under-test.ts'

const unknown = blobDigestOf(Buffer.from('unknown'))

test('tags are listed in order and in pages; an unknown repository gets 404', async () => {
  await using registry = await RegistryUnderTest.start({ limits: { pageEntries: 4 } })
  const tags = ['1.0', '10', '2', 'B', 'Z', '_x', 'a', 'latest']
  const { bytes } = await registry.pushImage('app', undefined)
  const list = (query = '') => registry.request('GET', `/v2/app/tags/list${query}`)
  assert.deepEqual((await list()).json(), { name: 'app', tags: [] })
  for (const tag of tags.toReversed()) await registry.pushManifest('app', tag, bytes, ociManifestType)

  const all = await list()
  assert.deepEqual(all.json(), { name: 'app', tags })
  assert.equal(all.headers.link, undefined)
  for (const [query, expected, link] of [
    ['?n=0', [], undefined],
    ['?n=3', tags.slice(0, 3), '</v2/app/tags/list?last=2&n=3>; rel="next"'],
    ['?n=3&last=2', tags.slice(3, 6), '</v2/app/tags/list?last=_x&n=3>; rel="next"'],
    ['?n=3&last=_x', tags.slice(6), undefined],
    ['?n=4&last=Z', tags.slice(5), undefined],
    ['?last=B', tags.slice(4), undefined],
    // The repository has no such tag, but it has a place in the order.
    ['?last=5', tags.slice(3), undefined],
    ['?last=zz', [], undefined],
    ['?n=100', tags.slice(0, 4), '</v2/app/tags/list?last=B&n=4>; rel="next"'],
  ] as const) {
    const answer = await list(query)
    assert.deepEqual(answer.json().tags, expected, query)
    assert.equal(answer.headers.link, link, query)
  }
  for (const n of ['-1', 'x', '1.5', '1e3']) {
    const answer = await list(`?n=${n}`)
    assert.equal(answer.status, 400, n)
    assert.deepEqual(answer.codes(), ['PAGINATION_NUMBER_INVALID'])
  }
  const none = await registry.request('GET', '/v2/nope/tags/list')
  assert.equal(none.status, 404)
  assert.deepEqual(none.codes(), ['NAME_UNKNOWN'])
  assert.equal((await registry.request('HEAD', '/v2/app/tags/list')).status, 200)
})

test('the catalog lists the visible repositories with manifests, in pages', async () => {
  await using registry = await RegistryUnderTest.start({
    authorizer: {
      authorize: async ({ headers }) => ({
        kind: 'allow',
        ...(headers.authorization === undefined ? {} : { canSee: (name: string) => !name.startsWith('secret') }),
      }),
    },
  })
  const list = (query = '', headers = {}) => registry.request('GET', `/v2/_catalog${query}`, { headers })
  assert.deepEqual((await list()).json(), { repositories: [] })
  const names = ['a', 'b/c', 'b/c/d', 'secret/x', 'z']
  for (const name of names) await registry.pushImage(name, 'latest')
  await registry.pushBlob('only/blobs', 'x')
  assert.deepEqual((await list()).json(), { repositories: names })
  const pages: string[] = []
  for (let next: string | undefined = '/v2/_catalog?n=2'; next !== undefined; ) {
    const answer = await registry.request('GET', next)
    pages.push(...answer.json().repositories)
    next = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link))?.[1]
  }
  assert.deepEqual(pages, names)
  const seen = await list('?n=4', { authorization: 'x' })
  assert.deepEqual(seen.json().repositories, ['a', 'b/c', 'b/c/d', 'z'])
  assert.equal(seen.headers.link, undefined)
})

test('referrers are listed for images and indexes, with types and annotations', async () => {
  await using registry = await RegistryUnderTest.start({ limits: { pageEntries: 2 } })
  const { digest, bytes } = await registry.pushImage('app', 'v1')
  const subject = { mediaType: ociManifestType, digest, size: bytes.length }
  const get = (query = '', of: string = digest) => registry.request('GET', `/v2/app/referrers/${of}${query}`)

  const empty = await get()
  assert.equal(empty.status, 200)
  assert.equal(empty.headers['content-type'], ociIndexType)
  assert.deepEqual(empty.json(), { schemaVersion: 2, mediaType: ociIndexType, manifests: [] })
  assert.deepEqual((await get('', unknown)).json().manifests, [])
  assert.deepEqual((await registry.request('GET', `/v2/nope/referrers/${digest}`)).json().manifests, [])
  const bad = await get('', 'sha256:x')
  assert.equal(bad.status, 400)
  assert.deepEqual(bad.codes(), ['DIGEST_INVALID'])

  const annotations = { 'org.example': 'yes' }
  const typed = JSON.stringify(imageOf({ subject, artifactType: 'application/sbom', annotations }))
  const pushed = await registry.pushManifest('app', 'sbom', typed, ociManifestType)
  assert.equal(pushed.status, 201, pushed.text)
  assert.equal(pushed.headers['oci-subject'], digest)
  const untyped = JSON.stringify(imageOf({ subject }))
  const untypedDigest = blobDigestOf(Buffer.from(untyped))
  await registry.pushManifest('app', untypedDigest, untyped, ociManifestType)
  const index = JSON.stringify({ schemaVersion: 2, mediaType: ociIndexType, manifests: [], subject })
  const indexDigest = blobDigestOf(Buffer.from(index))
  assert.equal((await registry.pushManifest('app', indexDigest, index, ociIndexType)).headers['oci-subject'], digest)

  const expected = [
    {
      mediaType: ociManifestType,
      digest: blobDigestOf(Buffer.from(typed)),
      size: typed.length,
      artifactType: 'application/sbom',
      annotations,
    },
    {
      mediaType: ociManifestType,
      digest: untypedDigest,
      size: untyped.length,
      artifactType: 'application/vnd.oci.image.config.v1+json',
    },
    { mediaType: ociIndexType, digest: indexDigest, size: index.length },
  ].sort((a, b) => (a.digest < b.digest ? -1 : 1))
  const first = await get()
  assert.deepEqual(first.json().manifests, expected.slice(0, 2))
  const next = /^<([^>]+)>; rel="next"$/.exec(String(first.headers.link))?.[1] ?? ''
  const second = await registry.request('GET', next)
  assert.deepEqual(second.json().manifests, expected.slice(2))
  assert.equal(second.headers.link, undefined)

  const filtered = await get('?artifactType=application%2Fsbom')
  assert.equal(filtered.headers['oci-filters-applied'], 'artifactType')
  assert.deepEqual(
    filtered.json().manifests,
    expected.filter(({ artifactType }) => artifactType === 'application/sbom'),
  )
  await registry.request('DELETE', `/v2/app/manifests/${indexDigest}`)
  assert.equal((await get()).json().manifests.length, 2)

  function imageOf(members: object) {
    return {
      schemaVersion: 2,
      mediaType: ociManifestType,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: blobDigestOf(Buffer.from('{}')),
        size: 2,
      },
      layers: [],
      ...members,
    }
  }
})

test('referrers include those pushed before their subject and those under the fallback tag', async () => {
  await using registry = await RegistryUnderTest.start()
  const subject = { mediaType: ociManifestType, digest: unknown, size: 1 }
  const early = await registry.pushImage('app', undefined, { subject, annotations: { n: '1' } })
  const list = async () => (await registry.request('GET', `/v2/app/referrers/${unknown}`)).json().manifests
  assert.deepEqual(
    (await list()).map(({ digest }: { digest: string }) => digest),
    [early.digest],
  )
  // Simulates a manifest that was pushed before the registry supported referrers.
  for (const { key } of (await registry.storage.objects.list('repositories/app/referrers/')).objects) {
    await registry.storage.objects.delete(key)
  }
  assert.deepEqual(await list(), [])
  const other = await registry.pushImage('app', undefined, { annotations: { n: 'no referrer' } })
  const fallback = {
    schemaVersion: 2,
    mediaType: ociIndexType,
    manifests: [early, other].map(({ digest, bytes }) => ({ mediaType: ociManifestType, digest, size: bytes.length })),
  }
  const tag = unknown.replace(':', '-')
  assert.equal((await registry.pushManifest('app', tag, JSON.stringify(fallback), ociIndexType)).status, 201)
  const found = await list()
  assert.equal(found.length, 1)
  assert.equal(found[0].digest, early.digest)
  assert.deepEqual(found[0].annotations, { n: '1' })
})
