import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isKind } from '../base/index.ts'
import { digestOf } from '../oci/index.ts'
import { LocalContentStore } from './local-content-store.ts'

/** Declares a test that runs with a store in a directory of its own. */
function storeTest(title: string, run: (store: LocalContentStore, root: string) => Promise<void>): void {
  test(`LocalContentStore: ${title}`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'bt-cs-'))
    try {
      await run(await LocalContentStore.open(root), root)
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  })
}

const bytes = Buffer.from('hello blob')
const digest = digestOf(bytes)

storeTest('put() stores bytes that find(), read() and open() return', async (store) => {
  assert.equal(await store.put(bytes), digest)
  assert.equal(await store.put(bytes), digest)
  assert.deepEqual(await store.find(digest), { digest, sizeBytes: bytes.length })
  assert.deepEqual(await store.read(digest), bytes)
  assert.equal(await text(store, 0), 'hello blob')
  assert.equal(await text(store, 6), 'blob')
})

async function text(store: LocalContentStore, start: number): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of store.open(digest, { start })) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

storeTest('read() and open() of a missing blob throw notFound', async (store) => {
  assert.equal(await store.find(digest), undefined)
  await assert.rejects(store.read(digest), (error) => isKind(error, 'notFound'))
  await assert.rejects(text(store, 0), (error) => isKind(error, 'notFound'))
  await store.delete(digest)
})

storeTest('read() refuses a blob that is larger than the limit', async (store) => {
  await store.put(bytes)
  await assert.rejects(store.read(digest, 9), (error) => isKind(error, 'invalidArgument'))
})

storeTest('delete() removes a blob, and walk() no longer lists it', async (store) => {
  const other = await store.put(Buffer.from('other'))
  await store.put(bytes)
  assert.deepEqual((await list(store)).sort(), [digest, other].sort())
  await store.delete(digest)
  assert.deepEqual(await list(store), [other])
})

storeTest('put() takes another digest algorithm', async (store) => {
  const long = await store.put(bytes, 'sha512')
  assert.equal(long, digestOf(bytes, 'sha512'))
  assert.deepEqual(await store.read(long), bytes)
  assert.deepEqual(await list(store), [long])
  assert.equal(await store.find(digest), undefined)
  await store.delete(long)
  assert.deepEqual(await list(store), [])
})

async function list(store: LocalContentStore): Promise<string[]> {
  const found: string[] = []
  for await (const blob of store.walk()) found.push(blob.digest)
  return found
}

storeTest('an ingest becomes a blob if digest and size are the expected ones', async (store) => {
  const ingest = await store.ingest('layer 1')
  ingest.write(bytes.subarray(0, 4))
  ingest.write(bytes.subarray(4))
  assert.equal(ingest.offset, bytes.length)
  assert.deepEqual(await ingest.commit({ digest, sizeBytes: bytes.length }), { digest, sizeBytes: bytes.length })
  assert.deepEqual(await store.read(digest), bytes)
  assert.equal((await ingestKeys(store)).length, 0)
  assert.throws(
    () => ingest.write(bytes),
    (error) => isKind(error, 'conflict'),
  )
  await assert.rejects(ingest.commit(), (error) => isKind(error, 'conflict'))
})

async function ingestKeys(store: LocalContentStore): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.unfinished.walk()) keys.push(key)
  return keys
}

storeTest('a closed ingest resumes where it ended', async (store) => {
  const first = await store.ingest('k')
  first.write(bytes.subarray(0, 4))
  first.close()
  first.close()
  assert.deepEqual(await ingestKeys(store), ['k'])
  const second = await store.ingest('k')
  assert.equal(second.offset, 4)
  second.write(bytes.subarray(4))
  await second.commit({ digest })
  assert.deepEqual(await store.read(digest), bytes)
})

storeTest('restart() drops the bytes of an ingest', async (store) => {
  const ingest = await store.ingest('k')
  ingest.write(Buffer.from('wrong'))
  ingest.restart()
  assert.equal(ingest.offset, 0)
  ingest.write(bytes)
  await ingest.commit({ digest })
})

storeTest('commit() of unexpected bytes throws dataLoss and drops the ingest', async (store) => {
  for (const expected of [{ digest, sizeBytes: 5 }, { digest }]) {
    const ingest = await store.ingest('k')
    assert.equal(ingest.offset, 0)
    ingest.write(Buffer.from('other'))
    if ('sizeBytes' in expected) ingest.write(Buffer.from('!'))
    await assert.rejects(ingest.commit(expected), (error) => isKind(error, 'dataLoss'))
    assert.equal(await store.find(digest), undefined)
    assert.deepEqual(await ingestKeys(store), [])
  }
})

storeTest('ingest() opens a key once, and several keys at a time', async (store) => {
  const ingest = await store.ingest('k')
  await assert.rejects(store.ingest('k'), (error) => isKind(error, 'conflict'))
  await assert.rejects(store.unfinished.drop('k'), (error) => isKind(error, 'conflict'))
  const others = await Promise.all([store.ingest('a/b'), store.ingest('../c')])
  for (const each of [ingest, ...others]) each.write(bytes)
  const results = await Promise.all([ingest, ...others].map((each) => each.commit({ digest })))
  assert.equal(results.length, 3)
  assert.deepEqual(await store.read(digest), bytes)
})

storeTest('abort() and drop() delete an ingest', async (store) => {
  const first = await store.ingest('k')
  first.write(bytes)
  await first.abort()
  await first.abort()
  const second = await store.ingest('k')
  assert.equal(second.offset, 0)
  second.write(bytes)
  second.close()
  await store.unfinished.drop('k')
  await store.unfinished.drop('k')
  assert.deepEqual(await ingestKeys(store), [])
})

storeTest('commit() of an ingest without hashing checks the digest of its writer', async (store) => {
  const ingest = await store.ingest('k', { hashing: false })
  ingest.write(bytes)
  await ingest.commit({ digest }, digest)
  assert.deepEqual(await store.read(digest), bytes)
  const wrong = await store.ingest('k', { hashing: false })
  await assert.rejects(wrong.commit({ digest }, digestOf('x')), (error) => isKind(error, 'dataLoss'))
})

storeTest('an ingest is resumed after a restart, and its digest covers the earlier bytes', async (before, root) => {
  // Never closed: the process dies here.
  const lost = await before.ingest('sha256:1234')
  lost.write(Buffer.alloc(3_000_000, 1))
  const store = await LocalContentStore.open(root)
  const ingest = await store.ingest('sha256:1234')
  assert.equal(ingest.offset, 3_000_000)
  ingest.write(Buffer.from('end'))
  const whole = digestOf(Buffer.concat([Buffer.alloc(3_000_000, 1), Buffer.from('end')]))
  await ingest.commit({ digest: whole })
  assert.equal((await store.find(whole))?.sizeBytes, 3_000_003)
  lost.close()
})

storeTest('dropBroken() removes entries that no ingest can resume from', async (store, root) => {
  const kept = await store.ingest('layer')
  kept.write(Buffer.from('begun'))
  kept.close()
  await writeFile(join(root, 'ingests/put-0123-4'), 'half')
  await mkdir(join(root, 'ingests/0123'))
  await store.unfinished.dropBroken()
  assert.equal((await readdir(join(root, 'ingests'))).length, 1)
  assert.equal((await store.ingest('layer')).offset, 5)
})
