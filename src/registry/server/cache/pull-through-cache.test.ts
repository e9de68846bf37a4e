import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { test } from 'node:test'
import { until } from '../../../../test/helpers/wait.ts'
import { type Logger, nullLogger } from '../../../base/index.ts'
import { blobDigestOf } from '../model/blob-digest.ts'
import { FolderStorage } from '../storage/folder/folder-storage.ts'
import { type Fault, FaultyProxy } from '../testing/faulty-proxy.ts'
import { ociIndexType, ociManifestType, RegistryUnderTest } from '../testing/registry-under-test.ts'
import { type ProxyOptions, PullThroughCache } from './index.ts'

const layer = randomBytes(3_000_000)
const layerDigest = blobDigestOf(layer)
const blobPath = `/v2/team/app/blobs/${layerDigest}`
const tagPath = '/v2/team/app/manifests/1'

/** An upstream with `team/app:1`, a proxy in front of it, and a cache of the proxy. */
async function place(options: Partial<ProxyOptions> = {}) {
  const upstream = await RegistryUnderTest.start()
  const image = await upstream.pushImage('team/app', '1', { layers: [layer.toString('latin1')] })
  await upstream.pushBlob('team/app', layer)
  const proxy = await FaultyProxy.start(`127.0.0.1:${upstream.port}`)
  const folder = await mkdtemp('/tmp/br-')
  const log: string[] = []
  const note = (message: string, fields: object = {}) => void log.push(`${message} ${JSON.stringify(fields)}`)
  const logger: Logger = { ...nullLogger, child: () => logger, debug: note, info: note, warn: note, error: note }
  const open = async () => {
    const storage = await FolderStorage.open(folder)
    const cache = new PullThroughCache(storage, { remote: `http://${proxy.name}`, ...options }, logger)
    const registry = await RegistryUnderTest.start({ pullSource: cache.source }, folder)
    const close = async () => {
      await registry[Symbol.asyncDispose]()
      await cache.close()
      await storage.close()
    }
    return { registry, close }
  }
  const first = await open()
  return {
    upstream,
    proxy,
    image,
    log,
    open,
    registry: first.registry,
    async [Symbol.asyncDispose]() {
      await first.close()
      await proxy[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

const isBlobGet = (method: string, path: string) => method === 'GET' && path.startsWith(blobPath)
/** An answer after which the client retries at once, so that tests don't wait. */
const down = (): Fault => ({ status: 503, headers: { 'retry-after': '0' } })

test("a cache serves upstream's images byte for byte, also when upstream is down", async () => {
  await using at = await place()
  for (const round of ['from upstream', 'from here']) {
    const manifest = await at.registry.request('GET', tagPath)
    assert.equal(manifest.status, 200, round)
    assert.deepEqual(manifest.body, at.image.bytes)
    assert.equal(manifest.headers['docker-content-digest'], at.image.digest)
    const head = await at.registry.request('HEAD', blobPath)
    assert.equal(head.headers['content-length'], String(layer.length))
    const blob = await at.registry.request('GET', blobPath)
    assert.equal(blob.status, 200)
    assert.ok(blob.body.equals(layer), round)
    const part = await at.registry.request('GET', blobPath, { headers: { range: 'bytes=10-19' } })
    assert.equal(part.status, 206)
    assert.deepEqual(part.body, layer.subarray(10, 20))
    at.proxy.fault = down
  }
  assert.equal(at.proxy.count(/^GET .*blobs/), 1)
  // The same holds in another process on the same storage.
  const other = await at.open()
  assert.equal((await other.registry.request('GET', tagPath)).status, 200)
  assert.ok((await other.registry.request('GET', blobPath)).body.equals(layer))
  await other.close()
})

test('a cache answers 404 for missing or refused contents, 429 if upstream does, and 503 if upstream is down', async () => {
  await using at = await place()
  const wrong = blobDigestOf(Buffer.from('no'))
  assert.deepEqual((await at.registry.request('GET', '/v2/team/app/manifests/no')).codes(), ['MANIFEST_UNKNOWN'])
  assert.deepEqual((await at.registry.request('GET', `/v2/no/no/manifests/${wrong}`)).codes(), ['MANIFEST_UNKNOWN'])
  assert.deepEqual((await at.registry.request('GET', `/v2/team/app/blobs/${wrong}`)).codes(), ['BLOB_UNKNOWN'])
  at.proxy.fault = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } })
  assert.equal((await at.registry.request('GET', tagPath)).status, 404)
  at.proxy.fault = () => ({ status: 429, headers: { 'retry-after': '0' } })
  const limited = await at.registry.request('GET', tagPath)
  assert.deepEqual([limited.status, limited.codes()], [429, ['TOOMANYREQUESTS']])
  at.proxy.fault = down
  const gone = await at.registry.request('GET', blobPath)
  assert.deepEqual([gone.status, gone.codes()], [503, ['UNAVAILABLE']])
  at.proxy.fault = () => undefined
  assert.equal((await at.registry.request('GET', tagPath)).status, 200)
})

test('a cache refuses pushes and deletes', async () => {
  await using at = await place()
  for (const [method, path] of [
    ['POST', '/v2/team/app/blobs/uploads/'],
    ['PUT', tagPath],
    ['DELETE', `/v2/team/app/manifests/${at.image.digest}`],
    ['DELETE', blobPath],
  ] as const) {
    const answer = await at.registry.request(method, path, { body: '' })
    assert.deepEqual([answer.status, answer.codes()], [405, ['UNSUPPORTED']], `${method} ${path}`)
  }
})

test('a cache follows tags, with a single HEAD if nothing has changed', async () => {
  await using at = await place()
  const digestNow = async () => (await at.registry.request('HEAD', tagPath)).headers['docker-content-digest']
  assert.equal(await digestNow(), at.image.digest)
  const moved = await at.upstream.pushImage('team/app', '1', { layers: ['other'] })
  assert.equal(await digestNow(), moved.digest)
  at.proxy.requests.length = 0
  assert.equal(await digestNow(), moved.digest)
  assert.deepEqual(at.proxy.requests, [`HEAD ${tagPath}`])
})

for (const [name, fault] of [
  ['cuts connections', 'reset'],
  ['fails', { status: 500 }],
  ['wants us to wait', { status: 429, headers: { 'retry-after': '60' } }],
] as const) {
  test(`a cache serves the last answer while upstream ${name}, and does not ask upstream for a while`, async () => {
    await using at = await place()
    const digestNow = async () => (await at.registry.request('HEAD', tagPath)).headers['docker-content-digest']
    await digestNow()
    at.proxy.fault = () => fault
    assert.equal(await digestNow(), at.image.digest)
    const asked = at.proxy.requests.length
    assert.ok(asked > 0)
    assert.equal(await digestNow(), at.image.digest)
    assert.equal(at.proxy.requests.length, asked)
  })
}

test('a tag that upstream deleted is deleted from the cache', async () => {
  await using at = await place()
  assert.equal((await at.registry.request('GET', tagPath)).status, 200)
  await at.upstream.request('DELETE', tagPath)
  assert.equal((await at.registry.request('GET', tagPath)).status, 404)
  at.proxy.fault = down
  assert.notEqual((await at.registry.request('GET', tagPath)).status, 200)
  assert.equal((await at.registry.request('GET', `/v2/team/app/manifests/${at.image.digest}`)).status, 200)
})

test('bytes with a wrong digest are neither kept nor served completely', async () => {
  await using at = await place()
  const before = await at.registry.files()
  at.proxy.fault = (method, path) => (isBlobGet(method, path) ? 'corrupt' : undefined)
  await assert.rejects(at.registry.request('GET', blobPath), /aborted|ECONNRESET/)
  assert.match(at.log.join('\n'), /other bytes/)
  assert.deepEqual(await at.registry.files(), before)
  at.proxy.fault = (method, path) => (method === 'GET' && path.includes('/manifests/') ? 'corrupt' : undefined)
  assert.notEqual((await at.registry.request('GET', `/v2/team/app/manifests/${at.image.digest}`)).status, 200)
  assert.deepEqual(await at.registry.files(), before)
  at.proxy.fault = () => undefined
  assert.ok((await at.registry.request('GET', blobPath)).body.equals(layer))
})

test('a broken download resumes where it stopped', async () => {
  await using at = await place()
  let cuts = 3
  at.proxy.fault = (method, path) => (isBlobGet(method, path) && cuts-- > 0 ? { cutAfter: 700_000 } : undefined)
  assert.ok((await at.registry.request('GET', blobPath)).body.equals(layer))
  const starts = at.proxy.headers.flatMap(({ range }) => (range === undefined ? [] : [Number(range.match(/\d+/)?.[0])]))
  assert.equal(starts.length, 3)
  for (const [index, start] of starts.entries()) {
    const from = starts[index - 1] ?? 0
    assert.ok(start > from && start <= from + 700_000, starts.join())
  }
})

test('clients that ask for the same blob at the same time share one download', async () => {
  await using at = await place()
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  at.proxy.fault = (method, path) => (isBlobGet(method, path) ? { holdFor: held } : undefined)
  const range = { headers: { range: 'bytes=2999990-' } }
  const answers = [
    at.registry.request('GET', blobPath),
    at.registry.request('GET', blobPath),
    at.registry.request('GET', blobPath, range),
  ]
  // The second client asks for bytes that have already arrived.
  await at.registry.request('GET', blobPath, { headers: { range: 'bytes=0-9' } })
  letGo()
  const [one, two, three] = await Promise.all(answers)
  assert.ok(one?.body.equals(layer))
  assert.ok(two?.body.equals(layer))
  assert.deepEqual(three?.body, layer.subarray(2_999_990))
  assert.equal(at.proxy.count(/^GET .*blobs/), 1)
})

test('a blob that was cached for another repository is served only if upstream has it in this one', async () => {
  await using at = await place()
  await at.upstream.pushImage('other/app', '1', { layers: ['small'] })
  const small = blobDigestOf(Buffer.from('small'))
  assert.equal((await at.registry.request('GET', `/v2/other/app/blobs/${small}`)).text, 'small')
  assert.equal((await at.registry.request('GET', `/v2/team/app/blobs/${small}`)).status, 404)
  await at.upstream.pushBlob('team/app', 'small')
  assert.equal((await at.registry.request('GET', `/v2/team/app/blobs/${small}`)).text, 'small')
  assert.equal(at.proxy.count(/^GET .*blobs/), 1)
})

test('a cache serves images of several platforms', async () => {
  await using at = await place()
  const arm = await at.upstream.pushImage('team/app', undefined, { layers: ['arm'] })
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: ociIndexType,
    manifests: [at.image, arm].map(({ digest, bytes }, number) => ({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest,
      size: bytes.length,
      platform: { os: 'linux', architecture: ['amd64', 'arm64'][number] },
    })),
  })
  await at.upstream.pushManifest('team/app', 'multi', index, ociIndexType)
  for (const _round of ['from upstream', 'from here']) {
    const answer = await at.registry.request('GET', '/v2/team/app/manifests/multi')
    assert.deepEqual([answer.text, answer.headers['content-type']], [index, ociIndexType])
    assert.deepEqual((await at.registry.request('GET', `/v2/team/app/manifests/${arm.digest}`)).body, arm.bytes)
    at.proxy.fault = down
  }
})

test('lists come from upstream, and from the cache if upstream is down', async () => {
  await using at = await place()
  for (const tag of ['b', 'a', 'c']) await at.upstream.pushImage('team/app', tag)
  await at.upstream.pushImage('zoo', '1')
  assert.deepEqual((await at.registry.request('GET', '/v2/team/app/tags/list')).json().tags, ['1', 'a', 'b', 'c'])
  for (const tag of ['x', 'y', 'z']) await at.upstream.pushImage('pages', tag)
  const page = await at.registry.request('GET', '/v2/pages/tags/list?n=1&last=x')
  assert.deepEqual(page.json().tags, ['y'])
  assert.match(String(page.headers.link), /last=y/)
  assert.deepEqual((await at.registry.request('GET', '/v2/_catalog')).json().repositories, ['pages', 'team/app', 'zoo'])
  assert.deepEqual((await at.registry.request('GET', '/v2/no/tags/list')).codes(), ['NAME_UNKNOWN'])
  await at.registry.request('GET', tagPath)
  at.proxy.fault = down
  assert.deepEqual((await at.registry.request('GET', '/v2/team/app/tags/list')).json().tags, ['1'])
  assert.deepEqual((await at.registry.request('GET', '/v2/_catalog')).json().repositories, ['team/app'])
})

test('referrers come from upstream, and from the cache if upstream is down', async () => {
  await using at = await place()
  const subject = { mediaType: ociManifestType, digest: at.image.digest, size: at.image.bytes.length }
  const signature = await at.upstream.pushImage('team/app', undefined, { subject, artifactType: 'a/signature' })
  const path = `/v2/team/app/referrers/${at.image.digest}`
  const digests = async (query = '') => (await at.registry.request('GET', path + query)).json().manifests.map(({ digest }: { digest: string }) => digest) // biome-ignore format: one line
  assert.deepEqual(await digests(), [signature.digest])
  assert.deepEqual(await digests('?artifactType=other'), [])
  await at.registry.request('GET', `/v2/team/app/manifests/${signature.digest}`)
  at.proxy.fault = down
  assert.deepEqual(await digests('?artifactType=a/signature'), [signature.digest])
})

test("a mirror of one registry doesn't answer for another one", async () => {
  await using at = await place()
  assert.equal((await at.registry.request('GET', `${tagPath}?ns=${at.proxy.name}`)).status, 200)
  assert.equal((await at.registry.request('GET', `${tagPath}?ns=docker.io`)).status, 404)
  assert.equal((await at.registry.request('GET', `${blobPath}?ns=quay.io`)).status, 404)
})

test('the least recently used blobs are evicted if the cache is too large', async () => {
  await using at = await place({ maxSizeBytes: 3_500_000 })
  const other = randomBytes(2_000_000)
  const otherPath = `/v2/team/app/blobs/${await at.upstream.pushBlob('team/app', other)}`
  const cachedBytes = async () => (await at.registry.storage.objects.list('blobs/')).objects.map(({ sizeBytes }) => sizeBytes) // biome-ignore format: one line
  assert.ok((await at.registry.request('GET', blobPath)).body.equals(layer))
  assert.ok((await at.registry.request('GET', otherPath)).body.equals(other))
  await until(async () => (await cachedBytes()).length === 1, { what: 'one blob to be left' })
  assert.deepEqual(await cachedBytes(), [other.length])
  at.proxy.fault = down
  assert.equal((await at.registry.request('GET', otherPath)).status, 200)
  assert.equal((await at.registry.request('GET', blobPath)).status, 503)
  at.proxy.fault = () => undefined
  assert.ok((await at.registry.request('GET', blobPath)).body.equals(layer))
})

test('unused contents are evicted after their time to live', async () => {
  await using at = await place({ ttlMs: 300 })
  assert.equal((await at.registry.request('GET', tagPath)).status, 200)
  assert.equal((await at.registry.request('GET', blobPath)).status, 200)
  const left = async () => (await at.registry.storage.objects.list('')).objects.map(({ key }) => key)
  await until(async () => (await left()).length === 0, { what: 'an empty cache' })
  assert.ok((await at.registry.request('GET', blobPath)).body.equals(layer))
})
