import assert from 'node:assert/strict'
import { utimes } from 'node:fs/promises'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../../../test/helpers/wait.ts'
import { type BlobDigest, blobDigestOf } from '../model/blob-digest.ts'
import { blobKey, condemnedKey, linkKey, lockPrefix } from '../model/registry-keys.ts'
import { objectPath, uploadDataPath } from '../storage/folder/folder-paths.ts'
import { RegistryUnderTest } from '../testing/registry-under-test.ts'

const hourAgo = new Date(Date.now() - 3_600_000)

/** Makes an object older than the grace period. */
async function age({ folder }: RegistryUnderTest, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await utimes(objectPath(folder, key), hourAgo, hourAgo)
}

async function ageBlob(registry: RegistryUnderTest, repository: string, digest: string): Promise<void> {
  await age(registry, blobKey(digest as BlobDigest), linkKey(repository, digest as BlobDigest))
}

/** Makes all uploads older than their maximum age. */
async function ageUploads({ folder, storage }: RegistryUnderTest): Promise<void> {
  for (const { id } of (await storage.uploads.list()).uploads)
    await utimes(uploadDataPath(folder, id), hourAgo, hourAgo)
}

async function has(registry: RegistryUnderTest, digest: string): Promise<boolean> {
  return (await registry.storage.objects.stat(blobKey(digest as BlobDigest))) !== undefined
}

test('collectGarbage() deletes blobs without a manifest, and keeps named and young ones', async () => {
  await using registry = await RegistryUnderTest.start({ garbageGraceMs: 60_000 })
  const image = await registry.pushImage('app', 'latest', { layers: ['kept'] })
  const old = await registry.pushBlob('app', 'old garbage')
  const young = await registry.pushBlob('app', 'young garbage')
  const sha512 = await registry.pushBlob('app', 'old garbage by sha512', 'sha512')
  for (const digest of [...image.layers, old, sha512]) await ageBlob(registry, 'app', digest)

  const before = await registry.files()
  const dry = await registry.registry.collectGarbage({ isDryRun: true })
  assert.deepEqual(
    { ...dry, durationMs: 0 },
    {
      isDryRun: true,
      manifestsRead: 1,
      blobsKept: 3,
      blobsDeleted: 2,
      bytesFreed: 'old garbage'.length + 'old garbage by sha512'.length,
      linksDeleted: 2,
      uploadsAborted: 0,
      durationMs: 0,
    },
  )
  assert.deepEqual(await registry.files(), before)

  const report = await registry.registry.collectGarbage()
  assert.deepEqual({ ...report, durationMs: 0 }, { ...dry, isDryRun: false, durationMs: 0 })
  assert.deepEqual([await has(registry, old), await has(registry, sha512)], [false, false])
  assert.equal(await has(registry, young), true)
  assert.equal((await registry.request('HEAD', `/v2/app/blobs/${old}`)).status, 404)
  for (const layer of image.layers) assert.equal((await registry.request('GET', `/v2/app/blobs/${layer}`)).status, 200)
  assert.equal((await registry.registry.collectGarbage()).blobsDeleted, 0)
})

test('collectGarbage() deletes the blobs of a deleted manifest, unless another repository needs them', async () => {
  await using registry = await RegistryUnderTest.start({ garbageGraceMs: 60_000 })
  const one = await registry.pushImage('one', 'latest', { layers: ['only one', 'both'] })
  await registry.pushImage('two', 'latest', { layers: ['both'] })
  const [only = '', both = ''] = one.layers
  await ageBlob(registry, 'one', only)
  await ageBlob(registry, 'one', both)
  await age(registry, linkKey('two', both as BlobDigest))
  await registry.request('DELETE', `/v2/one/manifests/${one.digest}`)
  const report = await registry.registry.collectGarbage()
  assert.equal(report.blobsDeleted, 1)
  assert.equal(await has(registry, only), false)
  // The first repository's link is garbage, too.
  assert.equal((await registry.request('GET', `/v2/one/blobs/${both}`)).status, 404)
  assert.equal((await registry.request('GET', `/v2/two/blobs/${both}`)).text, 'both')
})

test('a blob that a client asks for with HEAD counts as new', async () => {
  await using registry = await RegistryUnderTest.start({ garbageGraceMs: 60_000 })
  const asked = await registry.pushBlob('app', 'asked')
  const mounted = await registry.pushBlob('app', 'mounted')
  const pushed = await registry.pushBlob('app', 'pushed again')
  const gone = await registry.pushBlob('app', 'gone')
  for (const digest of [asked, mounted, pushed, gone]) await ageBlob(registry, 'app', digest)
  assert.equal((await registry.request('HEAD', `/v2/app/blobs/${asked}`)).status, 200)
  assert.equal((await registry.request('POST', `/v2/b/blobs/uploads/?mount=${mounted}&from=app`)).status, 201)
  await registry.pushBlob('c', 'pushed again')
  // A GET doesn't protect the blob.
  assert.equal((await registry.request('GET', `/v2/app/blobs/${gone}`)).status, 200)
  await registry.registry.collectGarbage()
  assert.deepEqual(await Promise.all([asked, mounted, pushed, gone].map((digest) => has(registry, digest))), [
    true,
    true,
    true,
    false,
  ])
})

test('collectGarbage() drops abandoned uploads', async () => {
  await using registry = await RegistryUnderTest.start({ uploadMaxAgeMs: 60_000 })
  const begin = async () => String((await registry.request('POST', '/v2/app/blobs/uploads/')).headers.location)
  const old = await begin()
  await ageUploads(registry)
  const young = await begin()
  assert.equal((await registry.registry.collectGarbage({ isDryRun: true })).uploadsAborted, 1)
  assert.equal((await registry.registry.collectGarbage()).uploadsAborted, 1)
  assert.equal((await registry.request('GET', old)).status, 404)
  assert.equal((await registry.request('GET', young)).status, 204)
})

test("only one collection runs at a time, and a dead one doesn't block the next", async () => {
  await using registry = await RegistryUnderTest.start({ garbageGraceMs: 60_000 })
  const { objects } = registry.storage
  const garbage = await registry.pushBlob('app', 'garbage')
  await ageBlob(registry, 'app', garbage)
  const [one, two] = await Promise.allSettled([registry.registry.collectGarbage(), registry.registry.collectGarbage()])
  assert.deepEqual([one?.status, two?.status].sort(), ['fulfilled', 'rejected'])
  assert.deepEqual((await objects.list('gc/')).objects, [])

  // Leftovers of a process that died in the middle of a collection: its lock and a verdict.
  const again = await registry.pushBlob('app', 'garbage')
  await objects.write(`${lockPrefix}000000000007`, Buffer.from('1'))
  await objects.write(condemnedKey(again), Buffer.alloc(0))
  await assert.rejects(registry.registry.collectGarbage(), /another garbage collection is running/)
  await age(registry, `${lockPrefix}000000000007`)
  await ageBlob(registry, 'app', again)
  assert.equal((await registry.registry.collectGarbage()).blobsDeleted, 1)
  assert.deepEqual((await objects.list('condemned/')).objects, [])
  assert.deepEqual((await objects.list('gc/')).objects, [])
})

test('no image lacks a blob after pushes, mounts and deletions through two processes during collections', async () => {
  // The grace period is so short that blobs become garbage between two pushes, and even during one.
  const garbageGraceMs = 300
  await using first = await RegistryUnderTest.start({ garbageGraceMs })
  await using second = await RegistryUnderTest.start({ garbageGraceMs }, first.folder)
  const layers = Array.from({ length: 6 }, (_, index) => `layer ${index}`)
  const endMs = Date.now() + 4_000
  let isOver = false
  const collect = async () => {
    while (!isOver) await second.registry.collectGarbage().catch((error) => assert.match(String(error), /is running/))
  }
  const work = async (worker: number) => {
    const registry = worker % 2 === 0 ? first : second
    for (let round = 0; Date.now() < endMs; round++) {
      const layer = layers[(worker * 7 + round) % layers.length] ?? ''
      await pushPullDelete(registry, `repo${(worker + round) % 3}`, layer, worker)
      // This only makes garbage for the collector.
      if (round % 3 === 0) await sleep(garbageGraceMs + 50)
    }
  }
  const collecting = collect()
  await Promise.all(Array.from({ length: 6 }, (_, worker) => work(worker)))
  isOver = true
  await collecting
  const { objects } = first.storage
  assert.deepEqual((await objects.list('condemned/')).objects, [])
  let left: string[] = []
  const isEmpty = async () => {
    await first.registry.collectGarbage()
    const prefixes = ['blobs/', 'links/', 'repositories/', 'catalog/', 'gc/']
    const lists = await Promise.all(prefixes.map((prefix) => objects.list(prefix)))
    left = lists.flatMap((list) => list.objects.map(({ key }) => key))
    return left.length === 0
  }
  await until(isEmpty, { what: () => `the end of ${left.join(', ')}` })
})

/** Acts as a client: looks for a blob, mounts it, or else uploads it, and begins again if the registry reports a missing
 *  blob. An accepted image must be complete. */
async function pushPullDelete(registry: RegistryUnderTest, repository: string, layer: string, worker: number) {
  const digest = blobDigestOf(Buffer.from(layer))
  if ((await registry.request('HEAD', `/v2/${repository}/blobs/${digest}`)).status === 404) {
    const mount = await registry.request('POST', `/v2/${repository}/blobs/uploads/?mount=${digest}`)
    if (mount.status === 202) await registry.request('DELETE', String(mount.headers.location))
  }
  let image: Awaited<ReturnType<RegistryUnderTest['pushImage']>>
  try {
    image = await registry.pushImage(repository, `t${worker}`, { layers: [layer], annotations: { worker } })
  } catch (error) {
    assert.match(String(error), /MANIFEST_BLOB_UNKNOWN|UNAVAILABLE/)
    return
  }
  const pulled = await registry.request('GET', `/v2/${repository}/blobs/${digest}`)
  assert.equal(pulled.text, layer, `${pulled.status} of worker ${worker}`)
  await registry.request('DELETE', `/v2/${repository}/manifests/${image.digest}`)
}
