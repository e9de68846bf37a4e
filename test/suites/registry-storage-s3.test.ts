import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { type LogFields, nullLogger } from '../../src/base/index.ts'
import { blobDigestOf } from '../../src/registry/server/index.ts'
import { S3Bucket } from '../../src/registry/server/storage/s3/s3-bucket.ts'
import { S3Storage } from '../../src/registry/server/storage/s3/s3-storage.ts'
import { sweepBucket } from '../../src/registry/server/storage/s3/s3-sweep.ts'
import { S3Error, S3Server, type S3ServerOptions } from '../helpers/registries/s3/index.ts'
import { registryStorageSuite } from './registry-storage.ts'

const MiB = 1 << 20

registryStorageSuite('S3Storage', async () => {
  const { s3, open, close } = await place()
  return {
    storage: await open(),
    other: await open(),
    async teardown() {
      await close()
      assert.deepEqual(
        [...s3.bucket.objects.keys()].filter((key) => !key.startsWith('a/b/')),
        [],
      )
      assert.equal(s3.bucket.uploads.size, 0, 'multipart uploads are left')
    },
  }
})

/** A bucket, and storages on it that are removed with it. */
async function place(options: S3ServerOptions = {}) {
  const s3 = await S3Server.start(options)
  const { bucketName: bucket, endpoint, credentials } = s3
  const opened: S3Storage[] = []
  const warnings: string[] = []
  const logger = { ...nullLogger, warn: (message: string, _fields?: LogFields) => void warnings.push(message) }
  return {
    s3,
    warnings,
    async open(more: object = {}) {
      const storage = await S3Storage.open({ bucket, endpoint, prefix: 'a/b/', credentials, ...more }, { logger })
      opened.push(storage)
      return storage
    },
    async sweep() {
      const opened = await S3Bucket.open({ bucket, endpoint, prefix: 'a/b/', credentials })
      await sweepBucket(opened, 24 * 3_600_000)
      opened.close()
    },
    async close() {
      for (const storage of opened) await storage.close()
      await s3[Symbol.asyncDispose]()
    },
    [Symbol.asyncDispose]() {
      return this.close()
    },
  }
}

async function* chunks(bytes: Buffer, size = 65_536): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function sha256(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of stream) hash.update(chunk)
  return `sha256:${hash.digest('hex')}`
}

test('S3Storage.open() reports what is wrong', async () => {
  await using at = await place()
  await assert.rejects(at.open({ bucket: 'other' }), { kind: 'internal', message: /NoSuchBucket/ })
  const wrong = { ...at.s3.credentials, secretAccessKey: 'wrong' }
  await assert.rejects(at.open({ credentials: wrong }), { kind: 'internal', message: /SignatureDoesNotMatch/ })
  at.s3.fault = (operation) => (operation === 'PutObject' ? new S3Error(403, 'AccessDenied') : undefined)
  await assert.rejects(at.open(), { kind: 'internal', message: /AccessDenied/ })
})

test('S3Storage works with a bucket without conditional writes, and warns', async () => {
  await using at = await place({ conditionalWrites: false })
  const storage = await at.open()
  assert.match(at.warnings.join(), /no conditional writes/)
  assert.equal(await storage.objects.write('a', Buffer.from('1'), { ifAbsent: true }), true)
  assert.equal(await storage.objects.write('a', Buffer.from('2'), { ifAbsent: true }), false)
  const bytes = randomBytes(9 * MiB)
  await storage.uploads.create('u')
  await storage.uploads.append('u', 0, chunks(bytes))
  await storage.uploads.commit('u', 'blob', blobDigestOf(bytes))
  assert.equal(await sha256(await storage.objects.open('blob')), blobDigestOf(bytes))
})

test('S3Storage retries after busy answers and broken connections', async () => {
  await using at = await place()
  const storage = await at.open()
  let requests = 0
  at.s3.fault = () => {
    requests += 1
    if (requests % 3 === 1) return new S3Error(503, 'SlowDown')
    return requests % 7 === 1 ? 'reset' : undefined
  }
  const bytes = randomBytes(18 * MiB)
  await storage.uploads.create('u')
  await storage.uploads.append('u', 0, chunks(bytes))
  await storage.uploads.commit('u', 'blob', blobDigestOf(bytes))
  assert.equal(await sha256(await storage.objects.open('blob')), blobDigestOf(bytes))
})

test('S3Storage continues to read where a connection broke', async () => {
  await using at = await place()
  const storage = await at.open()
  const bytes = randomBytes(3 * MiB)
  await storage.objects.write('blob', bytes)
  at.s3.cutBodiesAfter = MiB
  assert.equal(await sha256(await storage.objects.open('blob')), blobDigestOf(bytes))
  const part = await storage.objects.open('blob', { start: 5, end: 2 * MiB })
  assert.equal(await sha256(part), blobDigestOf(bytes.subarray(5, 2 * MiB + 1)))
})

test('S3Storage verifies without reading again, even if another process sent the bytes', async () => {
  await using at = await place()
  const [one, two] = [await at.open(), await at.open()]
  const bytes = randomBytes(20 * MiB)
  await one.uploads.create('u')
  await one.uploads.append('u', 0, chunks(bytes.subarray(0, 9 * MiB)))
  await two.uploads.append('u', 9 * MiB, chunks(bytes.subarray(9 * MiB)))
  at.s3.calls.length = 0
  await one.uploads.commit('u', 'blob', blobDigestOf(bytes))
  // The state, and the bytes after the last whole part.
  assert.equal(at.s3.calls.filter((call) => call === 'GetObject').length, 2)
  assert.ok(at.s3.calls.includes('CopyObject'))
  assert.deepEqual([...at.s3.bucket.objects.keys()].sort(), ['a/b/check', 'a/b/objects/blob'])
})

test('S3Storage copies in parts what is too large for one copy', async () => {
  await using at = await place({ maxCopyBytes: 128 * MiB })
  const storage = await at.open()
  const zeros = Buffer.alloc(MiB)
  async function* many(): AsyncGenerator<Buffer> {
    for (let count = 0; count < 136; count += 1) yield zeros
  }
  await storage.uploads.create('u')
  await storage.uploads.append('u', 0, many())
  const digest = await sha256(many())
  await storage.uploads.commit('u', 'blob', digest as `sha256:${string}`)
  assert.equal(at.s3.calls.filter((call) => call === 'UploadPartCopy').length, 2)
  assert.equal(await sha256(await storage.objects.open('blob')), digest)
})

test('S3Storage: an upload continues after its last parts were joined and then refused', async () => {
  await using at = await place()
  const storage = await at.open()
  const bytes = randomBytes(19 * MiB)
  await storage.uploads.create('u')
  await storage.uploads.append('u', 0, chunks(bytes.subarray(0, 9 * MiB)))
  // A different hash algorithm than the running one, so only the joined bytes can be checked.
  const wrong = blobDigestOf(bytes, 'sha512')
  await assert.rejects(storage.uploads.commit('u', 'blob', wrong), { kind: 'invalidArgument' })
  assert.equal((await storage.uploads.find('u'))?.sizeBytes, 9 * MiB)
  await storage.uploads.append('u', 9 * MiB, chunks(bytes.subarray(9 * MiB)))
  await storage.uploads.commit('u', 'blob', wrong)
  assert.equal(await sha256(await storage.objects.open('blob')), blobDigestOf(bytes))
})

test('S3Storage: a commit that was interrupted between any two requests can be repeated', async () => {
  const bytes = randomBytes(9 * MiB)
  const digest = blobDigestOf(bytes)
  for (let cut = 0; ; cut += 1) {
    await using at = await place()
    const storage = await at.open()
    await storage.uploads.create('u')
    await storage.uploads.append('u', 0, chunks(bytes))
    let requests = 0
    at.s3.fault = () => (requests++ < cut ? undefined : new S3Error(403, 'AccessDenied'))
    const first = await storage.uploads.commit('u', 'blob', digest).catch((error: unknown) => error)
    at.s3.fault = () => undefined
    if (typeof first === 'number') break
    at.s3.age(60_000) // the upload name in the state has expired
    if ((await storage.uploads.find('u')) !== undefined) {
      assert.equal(await storage.uploads.commit('u', 'blob', digest), bytes.length, `after ${cut} requests`)
    }
    assert.equal(await sha256(await storage.objects.open('blob')), digest, `after ${cut} requests`)
    // An unreferenced tail is deleted a day later.
    at.s3.age(25 * 3_600_000)
    await at.sweep()
    assert.deepEqual([...at.s3.bucket.objects.keys()].sort(), ['a/b/check', 'a/b/objects/blob'])
    assert.equal(at.s3.bucket.uploads.size, 0)
  }
})

test('S3Storage: an append that was interrupted between any two requests continues from what is stored', async () => {
  const bytes = randomBytes(10 * MiB)
  for (let cut = 0; ; cut += 1) {
    await using at = await place()
    const [one, two] = [await at.open(), await at.open()]
    await one.uploads.create('u')
    await one.uploads.append('u', 0, chunks(bytes.subarray(0, MiB)))
    let requests = 0
    at.s3.fault = () => (requests++ < cut ? undefined : new S3Error(403, 'AccessDenied'))
    const first = await one.uploads
      .append('u', MiB, chunks(bytes.subarray(MiB, 9 * MiB)))
      .catch((error: unknown) => error)
    at.s3.fault = () => undefined
    if (first === 9 * MiB && requests <= cut) break
    at.s3.age(60_000)
    const kept = (await two.uploads.find('u'))?.sizeBytes ?? -1
    assert.ok(kept >= MiB && kept <= 9 * MiB, `${kept} after ${cut} requests`)
    await two.uploads.append('u', kept, chunks(bytes.subarray(kept)))
    await two.uploads.commit('u', 'blob', blobDigestOf(bytes))
    assert.equal(await sha256(await one.objects.open('blob')), blobDigestOf(bytes), `after ${cut} requests`)
  }
})

test('S3Storage deletes what dead processes left, and nothing else', async () => {
  await using at = await place()
  const storage = await at.open()
  const bytes = randomBytes(9 * MiB)
  for (const id of ['lost', 'kept']) {
    await storage.uploads.create(id)
    await storage.uploads.append(id, 0, chunks(bytes))
  }
  await storage.objects.write('object', bytes)
  at.s3.bucket.objects.delete('a/b/uploads/lost')
  await at.sweep()
  assert.equal(at.s3.bucket.uploads.size, 2, 'too young')
  at.s3.age(25 * 3_600_000)
  await at.sweep()
  assert.deepEqual([...at.s3.bucket.uploads.values()].map(({ key }) => key), ['a/b/upload-data/kept/whole']) // biome-ignore format: one line
  await storage.uploads.commit('kept', 'blob', blobDigestOf(bytes))
  assert.deepEqual([...at.s3.bucket.objects.keys()].sort(), ['a/b/check', 'a/b/objects/blob', 'a/b/objects/object'])
})

test('S3Storage: an upload of a dead process is free after a while, up to what it had saved', async () => {
  await using at = await place()
  const [one, two] = [await at.open(), await at.open()]
  const bytes = randomBytes(17 * MiB)
  await one.uploads.create('u')
  await one.uploads.append('u', 0, chunks(bytes.subarray(0, 9 * MiB)))
  const { promise: never } = Promise.withResolvers<void>()
  const { promise: taken, resolve: take } = Promise.withResolvers<void>()
  async function* stuck(): AsyncGenerator<Buffer> {
    take()
    yield bytes.subarray(9 * MiB, 10 * MiB)
    await never
  }
  void one.uploads.append('u', 9 * MiB, stuck()).catch(() => {})
  await taken
  await assert.rejects(two.uploads.append('u', 9 * MiB, chunks(bytes)), { kind: 'conflict' })
  at.s3.age(20_000)
  await two.uploads.append('u', 9 * MiB, chunks(bytes.subarray(9 * MiB)))
  await two.uploads.commit('u', 'blob', blobDigestOf(bytes))
  assert.equal(await sha256(await one.objects.open('blob')), blobDigestOf(bytes))
})
