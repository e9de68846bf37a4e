import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blobDigestOf } from './model/blob-digest.ts'
import { ociManifestType, RegistryUnderTest } from './testing/registry-under-test.ts'

const unknown = blobDigestOf(Buffer.from('unknown'))

test('deleting a tag leaves the manifest and its other tags', async () => {
  await using registry = await RegistryUnderTest.start()
  const { digest, bytes } = await registry.pushImage('app', 'one')
  await registry.pushManifest('app', 'two', bytes, ociManifestType)
  assert.equal((await registry.request('DELETE', '/v2/app/manifests/one')).status, 202)
  assert.equal((await registry.request('GET', '/v2/app/manifests/one')).status, 404)
  assert.equal((await registry.request('GET', '/v2/app/manifests/two')).status, 200)
  assert.equal((await registry.request('GET', `/v2/app/manifests/${digest}`)).status, 200)
  assert.deepEqual((await registry.request('GET', '/v2/app/tags/list')).json().tags, ['two'])
  const again = await registry.request('DELETE', '/v2/app/manifests/one')
  assert.equal(again.status, 404)
  assert.deepEqual(again.codes(), ['MANIFEST_UNKNOWN'])
})

test('deleting a manifest deletes its tags, and removes an empty repository from the catalog', async () => {
  await using registry = await RegistryUnderTest.start()
  const one = await registry.pushImage('app', 'one', { annotations: { n: '1' } })
  await registry.pushManifest('app', 'also', one.bytes, ociManifestType)
  const two = await registry.pushImage('app', 'two', { annotations: { n: '2' } })
  assert.equal((await registry.request('DELETE', `/v2/app/manifests/${one.digest}`)).status, 202)
  for (const reference of [one.digest, 'one', 'also']) {
    assert.equal((await registry.request('GET', `/v2/app/manifests/${reference}`)).status, 404)
  }
  assert.equal((await registry.request('DELETE', `/v2/app/manifests/${one.digest}`)).status, 404)
  assert.deepEqual((await registry.request('GET', '/v2/app/tags/list')).json().tags, ['two'])
  await registry.request('DELETE', `/v2/app/manifests/${two.digest}`)
  assert.deepEqual((await registry.request('GET', '/v2/_catalog')).json().repositories, [])
  assert.equal((await registry.request('GET', '/v2/app/tags/list')).status, 404)
  await registry.pushImage('app', 'again')
  assert.deepEqual((await registry.request('GET', '/v2/_catalog')).json().repositories, ['app'])
})

test('deleting a blob removes it from one repository only', async () => {
  await using registry = await RegistryUnderTest.start()
  const digest = await registry.pushBlob('app', 'blob')
  await registry.pushBlob('other', 'blob')
  assert.equal((await registry.request('DELETE', `/v2/app/blobs/${digest}`)).status, 202)
  assert.equal((await registry.request('GET', `/v2/app/blobs/${digest}`)).status, 404)
  assert.equal((await registry.request('GET', `/v2/other/blobs/${digest}`)).text, 'blob')
  for (const missing of [digest, unknown]) {
    const answer = await registry.request('DELETE', `/v2/app/blobs/${missing}`)
    assert.equal(answer.status, 404)
    assert.deepEqual(answer.codes(), ['BLOB_UNKNOWN'])
  }
})

test('disabled operations get 405, and nothing changes', async () => {
  await using registry = await RegistryUnderTest.start()
  const { digest, layers, bytes } = await registry.pushImage('app', 'one')
  const upload = (await registry.request('POST', '/v2/app/blobs/uploads/')).headers.location ?? ''
  const deletes = [`/v2/app/manifests/${digest}`, '/v2/app/manifests/one', `/v2/app/blobs/${layers[0]}`]
  await using readOnly = await RegistryUnderTest.start({ isReadOnly: true }, registry.folder)
  await using kept = await RegistryUnderTest.start({ deleteEnabled: false }, registry.folder)
  const before = await registry.files()
  const requests: readonly (readonly [RegistryUnderTest, string, string])[] = [
    ...deletes.map((path) => [readOnly, 'DELETE', path] as const),
    ...deletes.map((path) => [kept, 'DELETE', path] as const),
    [readOnly, 'POST', '/v2/app/blobs/uploads/'],
    [readOnly, 'PATCH', upload],
    [readOnly, 'PUT', upload],
    [readOnly, 'PUT', '/v2/app/manifests/two'],
  ]
  for (const [server, method, path] of requests) {
    const body = method === 'DELETE' ? undefined : bytes
    const answer = await server.request(method, path, { body })
    assert.equal(answer.status, 405, `${method} ${path}`)
    assert.deepEqual(answer.codes(), ['UNSUPPORTED'])
  }
  assert.deepEqual(await registry.files(), before)
  assert.equal((await readOnly.request('GET', '/v2/app/manifests/one')).status, 200)
  assert.equal((await kept.pushManifest('app', 'two', bytes, ociManifestType)).status, 201)
})

test('an unsupported method gets 405', async () => {
  await using registry = await RegistryUnderTest.start()
  for (const [method, path, allow] of [
    ['POST', '/v2/', 'GET, HEAD'],
    ['DELETE', '/v2/_catalog', 'GET, HEAD'],
    ['PUT', '/v2/app/tags/list', 'GET, HEAD'],
    ['POST', '/v2/app/manifests/x', 'GET, HEAD, PUT, DELETE'],
    ['PATCH', `/v2/app/blobs/${unknown}`, 'GET, HEAD, DELETE'],
    ['GET', '/v2/app/blobs/uploads/', 'POST'],
    ['POST', `/v2/app/referrers/${unknown}`, 'GET, HEAD'],
  ] as const) {
    const answer = await registry.request(method, path)
    assert.equal(answer.status, 405, `${method} ${path}`)
    assert.deepEqual(answer.codes(), ['UNSUPPORTED'])
    assert.equal(answer.headers.allow, allow)
  }
})
