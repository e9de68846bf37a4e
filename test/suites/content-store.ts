/** What every ContentStore must do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKind } from '../../src/base/index.ts'
import type { ContentStore } from '../../src/content/index.ts'
import { digestOf } from '../../src/oci/index.ts'

/** A store under test and what removes it. */
export interface ContentStoreSetup {
  readonly store: ContentStore
  teardown(): Promise<void>
}

/** Declares the suite's tests for the stores that `setup` makes. */
export function contentStoreSuite(name: string, setup: () => Promise<ContentStoreSetup>): void {
  const check = (title: string, run: (store: ContentStore) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const { store, teardown } = await setup()
      try {
        await run(store)
      } finally {
        await teardown()
      }
    })
  }
  const bytes = Buffer.from('hello blob')
  const digest = digestOf(bytes)

  check('put() then find, info, read and open give the bytes', async (store) => {
    assert.equal(await store.put(bytes), digest)
    assert.equal(await store.put(bytes), digest)
    assert.deepEqual(await store.find(digest), { digest, sizeBytes: bytes.length })
    assert.deepEqual(await store.info(digest), { digest, sizeBytes: bytes.length })
    assert.deepEqual(await store.read(digest), bytes)
    assert.equal(await text(store, 0), 'hello blob')
    assert.equal(await text(store, 6), 'blob')
  })

  async function text(store: ContentStore, start: number): Promise<string> {
    const parts: Buffer[] = []
    for await (const part of store.open(digest, { start })) parts.push(part as Buffer)
    return Buffer.concat(parts).toString()
  }

  check('a blob that is not there is notFound', async (store) => {
    assert.equal(await store.find(digest), undefined)
    await assert.rejects(store.info(digest), (error) => isKind(error, 'notFound'))
    await assert.rejects(store.read(digest), (error) => isKind(error, 'notFound'))
    await assert.rejects(text(store, 0), (error) => isKind(error, 'notFound'))
    await store.delete(digest)
  })

  check('read() refuses a blob over the limit', async (store) => {
    await store.put(bytes)
    await assert.rejects(store.read(digest, 9), (error) => isKind(error, 'invalidArgument'))
  })

  check('delete() removes, walk() lists', async (store) => {
    const other = await store.put(Buffer.from('other'))
    await store.put(bytes)
    assert.deepEqual((await list(store)).sort(), [digest, other].sort())
    await store.delete(digest)
    assert.deepEqual(await list(store), [other])
  })

  check('a blob of another algorithm is one like the others', async (store) => {
    const long = await store.put(bytes, 'sha512')
    assert.equal(long, digestOf(bytes, 'sha512'))
    assert.deepEqual(await store.read(long), bytes)
    assert.deepEqual(await list(store), [long])
    assert.equal(await store.find(digest), undefined)
    await store.delete(long)
    assert.deepEqual(await list(store), [])
  })

  async function list(store: ContentStore): Promise<string[]> {
    const found: string[] = []
    for await (const blob of store.walk()) found.push(blob.digest)
    return found
  }

  check('an ingest becomes a blob when digest and size fit', async (store) => {
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

  async function ingestKeys(store: ContentStore): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of store.ingests()) keys.push(key)
    return keys
  }

  check('a closed ingest goes on where it was', async (store) => {
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

  check('restart() forgets the bytes', async (store) => {
    const ingest = await store.ingest('k')
    ingest.write(Buffer.from('wrong'))
    ingest.restart()
    assert.equal(ingest.offset, 0)
    ingest.write(bytes)
    await ingest.commit({ digest })
  })

  check('commit() of other bytes is dataLoss and drops the ingest', async (store) => {
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

  check('a key is open once; others side by side', async (store) => {
    const ingest = await store.ingest('k')
    await assert.rejects(store.ingest('k'), (error) => isKind(error, 'conflict'))
    await assert.rejects(store.abort('k'), (error) => isKind(error, 'conflict'))
    const others = await Promise.all([store.ingest('a/b'), store.ingest('../c')])
    for (const each of [ingest, ...others]) each.write(bytes)
    const results = await Promise.all([ingest, ...others].map((each) => each.commit({ digest })))
    assert.equal(results.length, 3)
    assert.deepEqual(await store.read(digest), bytes)
  })

  check('abort() drops an ingest', async (store) => {
    const first = await store.ingest('k')
    first.write(bytes)
    await first.abort()
    await first.abort()
    const second = await store.ingest('k')
    assert.equal(second.offset, 0)
    second.write(bytes)
    second.close()
    await store.abort('k')
    await store.abort('k')
    assert.deepEqual(await ingestKeys(store), [])
  })

  check('an ingest without hashing takes the digest of its writer', async (store) => {
    const ingest = await store.ingest('k', { hashing: false })
    ingest.write(bytes)
    await ingest.commit({ digest }, digest)
    assert.deepEqual(await store.read(digest), bytes)
    const wrong = await store.ingest('k', { hashing: false })
    await assert.rejects(wrong.commit({ digest }, digestOf('x')), (error) => isKind(error, 'dataLoss'))
  })
}
