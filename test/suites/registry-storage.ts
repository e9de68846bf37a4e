/** The contract of every RegistryStorage. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isKind } from '../../src/base/index.ts'
import { type BlobDigest, blobDigestOf, type RegistryStorage } from '../../src/registry/server/index.ts'
import { until } from '../helpers/wait.ts'

/** Storages under test, all on the same place as separate processes would open it, and a function that removes them. */
export interface RegistryStorageSetup {
  readonly storage: RegistryStorage
  readonly other: RegistryStorage
  teardown(): Promise<void>
}

/** Declares the suite's tests for the storages that `setup` makes. */
export function registryStorageSuite(name: string, setup: () => Promise<RegistryStorageSetup>): void {
  const check = (title: string, run: (storage: RegistryStorage, other: RegistryStorage) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const { storage, other, teardown } = await setup()
      try {
        await run(storage, other)
      } finally {
        await teardown()
      }
    })
  }

  check('check() of a storage that works', async (storage) => {
    await storage.check()
  })

  check('objects: what is written is there for everybody', async ({ objects }, other) => {
    assert.equal(await objects.write('a/b', Buffer.from('one')), true)
    assert.equal((await other.objects.stat('a/b'))?.sizeBytes, 3)
    assert.equal((await other.objects.read('a/b'))?.toString(), 'one')
    assert.equal(await other.objects.write('a/b', Buffer.from('other')), true)
    assert.equal((await objects.read('a/b'))?.toString(), 'other')
    assert.equal(await objects.write('a/empty', Buffer.alloc(0)), true)
    assert.equal((await objects.read('a/empty'))?.length, 0)
    assert.equal(await text(objects.open('a/empty')), '')
  })

  check('objects: what is not there', async ({ objects }) => {
    assert.equal(await objects.stat('no/such'), undefined)
    assert.equal(await objects.read('no/such'), undefined)
    await assert.rejects(objects.open('no/such'), (error) => isKind(error, 'notFound'))
    await objects.delete('no/such')
    assert.deepEqual(await objects.list('no/'), { objects: [], next: undefined })
  })

  check('objects: a deletion that was given up changes nothing', async ({ objects }) => {
    await objects.write('a/b', Buffer.from('one'))
    await assert.rejects(objects.delete('a/b', { signal: AbortSignal.abort() }))
    assert.equal((await objects.read('a/b'))?.toString(), 'one')
  })

  check('objects: a second write renews the time', async ({ objects }) => {
    await objects.write('a/b', Buffer.from('one'))
    const before = (await objects.stat('a/b'))?.modifiedAt ?? new Date(0)
    // Some storages only store whole seconds.
    const isLater = async () => {
      await objects.write('a/b', Buffer.from('one'))
      return ((await objects.stat('a/b'))?.modifiedAt ?? before) > before
    }
    await until(isLater, { what: `a time after ${before.toISOString()}` })
  })

  check('objects: of many that create one key one succeeds', async ({ objects }, other) => {
    const results = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        (index % 2 === 0 ? objects : other.objects).write('a/once', Buffer.from(`${index}`), { ifAbsent: true }),
      ),
    )
    const winners = results.flatMap((won, index) => (won ? [`${index}`] : []))
    assert.equal(winners.length, 1)
    assert.equal((await objects.read('a/once'))?.toString(), winners[0])
  })

  check('objects: delete() deletes, also a folder’s last one, and writes go on', async ({ objects }, other) => {
    await objects.write('a/b/c', Buffer.from('x'))
    await other.objects.delete('a/b/c')
    assert.equal(await objects.stat('a/b/c'), undefined)
    await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        for (let round = 0; round < 10; round++) {
          await objects.write(`d/e/${index}`, Buffer.from('x'))
          assert.notEqual(await other.objects.read(`d/e/${index}`), undefined)
          await other.objects.delete(`d/e/${index}`)
        }
      }),
    )
    assert.deepEqual((await objects.list('d/')).objects, [])
  })

  check('objects: ranges', async ({ objects }) => {
    await objects.write('a/b', Buffer.from('0123456789'))
    assert.equal(await text(objects.open('a/b')), '0123456789')
    assert.equal(await text(objects.open('a/b', { start: 3 })), '3456789')
    assert.equal(await text(objects.open('a/b', { start: 3, end: 5 })), '345')
    assert.equal(await text(objects.open('a/b', { end: 0 })), '0')
  })

  check('objects: list() gives all keys below a prefix, by bytes, in pages', async ({ objects }) => {
    const keys = ['l/a', 'l/a-b', 'l/a.b', 'l/a/x', 'l/b/a', 'l/b/b/c', 'l/B', 'l/a+b', 'l/a_b', 'm/a'].filter(
      // No key may be the folder of another one.
      (key) => key !== 'l/a',
    )
    for (const key of keys) await objects.write(key, Buffer.from(key))
    const expected = keys.filter((key) => key.startsWith('l/')).sort()
    const whole = await objects.list('l/')
    assert.deepEqual(
      whole.objects.map(({ key }) => key),
      expected,
    )
    assert.equal(whole.next, undefined)
    assert.equal(whole.objects[0]?.sizeBytes, expected[0]?.length)
    for (const limit of [1, 2, 3]) {
      const pages: string[] = []
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page = await objects.list('l/', { after, limit })
        assert.ok(page.objects.length <= limit)
        pages.push(...page.objects.map(({ key }) => key))
        after = page.next
      }
      assert.deepEqual(pages, expected, `pages of ${limit}`)
    }
    const later = await objects.list('l/', { after: 'l/a/nothing' })
    assert.deepEqual(
      later.objects.map(({ key }) => key),
      expected.filter((key) => key > 'l/a/nothing'),
    )
  })

  check('uploads: pieces through two processes become one object', async (storage, other) => {
    const bytes = randomBytes(700_000)
    const digest = blobDigestOf(bytes)
    await storage.uploads.create('u1')
    assert.equal((await other.uploads.find('u1'))?.sizeBytes, 0)
    let offset = 0
    for (const [index, end] of [1, 1000, 1000, 300_000, 700_000].entries()) {
      const { uploads } = index % 2 === 0 ? storage : other
      offset = await uploads.append('u1', offset, chunks(bytes.subarray(offset, end), 4096))
      assert.equal(offset, end)
      assert.equal((await storage.uploads.find('u1'))?.sizeBytes, end)
    }
    assert.equal(await other.uploads.commit('u1', 'blobs/x', digest), bytes.length)
    assert.equal(await storage.uploads.find('u1'), undefined)
    assert.equal((await storage.objects.stat('blobs/x'))?.sizeBytes, bytes.length)
    assert.equal(await hash(storage.objects.open('blobs/x')), digest)
  })

  check('uploads: big ones, sha512, and none at all', async (storage, other) => {
    const bytes = randomBytes(13 * 1024 * 1024 + 17)
    for (const [id, algorithm, announced] of [
      ['b1', 'sha256', 'sha256'],
      ['b2', 'sha512', 'sha512'],
      // The client names its hash algorithm only at the end.
      ['b3', 'sha512', 'sha256'],
    ] as const) {
      await storage.uploads.create(id)
      const middle = 9 * 1024 * 1024 + 1
      await storage.uploads.append(id, 0, chunks(bytes.subarray(0, middle), 65_536), { algorithm: announced })
      await other.uploads.append(id, middle, chunks(bytes.subarray(middle), 65_536), { algorithm: announced })
      const digest = blobDigestOf(bytes, algorithm)
      await storage.uploads.commit(id, `blobs/${id}`, digest)
      assert.equal(await hash(other.objects.open(`blobs/${id}`), algorithm), digest)
    }
    await storage.uploads.create('empty')
    await storage.uploads.commit('empty', 'blobs/empty', blobDigestOf(Buffer.alloc(0)))
    assert.equal((await other.objects.stat('blobs/empty'))?.sizeBytes, 0)
  })

  check('uploads: a wrong digest makes no object', async ({ uploads, objects }) => {
    for (const size of [3, 2 * 1024 * 1024]) {
      await uploads.create(`w${size}`)
      await uploads.append(`w${size}`, 0, chunks(Buffer.alloc(size), 65_536))
      const wrong = blobDigestOf(Buffer.from('else'))
      await assert.rejects(uploads.commit(`w${size}`, 'blobs/w', wrong), (error) => isKind(error, 'invalidArgument'))
      assert.equal(await objects.stat('blobs/w'), undefined)
      assert.equal((await uploads.find(`w${size}`))?.sizeBytes, size)
      await uploads.commit(`w${size}`, `blobs/w${size}`, blobDigestOf(Buffer.alloc(size)))
    }
  })

  check('uploads: another offset than the end changes nothing', async ({ uploads }) => {
    await uploads.create('o')
    await uploads.append('o', 0, chunks(Buffer.from('12345'), 2))
    for (const offset of [0, 4, 6]) {
      await assert.rejects(uploads.append('o', offset, chunks(Buffer.from('x'), 1)), (error) => {
        return isKind(error, 'conflict') && error.details.sizeBytes === 5
      })
    }
    assert.equal((await uploads.find('o'))?.sizeBytes, 5)
  })

  check('uploads: a source that breaks leaves what came, and the upload goes on', async (storage, other) => {
    const bytes = randomBytes(3 * 1024 * 1024)
    await storage.uploads.create('br')
    async function* broken(): AsyncIterable<Buffer> {
      yield* chunks(bytes.subarray(0, 2_500_000), 50_000)
      throw new Error('connection reset')
    }
    await assert.rejects(storage.uploads.append('br', 0, broken()), /connection reset/)
    const kept = (await other.uploads.find('br'))?.sizeBytes ?? -1
    assert.ok(kept >= 0 && kept <= 2_500_000, `${kept}`)
    await other.uploads.append('br', kept, chunks(bytes.subarray(kept), 65_536))
    await other.uploads.commit('br', 'blobs/br', blobDigestOf(bytes))
    assert.equal(await hash(storage.objects.open('blobs/br')), blobDigestOf(bytes))
  })

  check('uploads: two writers at once never mix', async (storage, other) => {
    await storage.uploads.create('two')
    const size = 256 * 1024
    const results = await Promise.allSettled(
      ['a', 'b', 'c', 'd'].map((letter, index) =>
        (index % 2 === 0 ? storage : other).uploads.append('two', 0, chunks(Buffer.alloc(size, letter), 8192)),
      ),
    )
    const winner = results.findIndex(({ status }) => status === 'fulfilled')
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const result of results) {
      if (result.status === 'rejected') assert.ok(isKind(result.reason, 'conflict'), String(result.reason))
    }
    const expected = Buffer.alloc(size, 'abcd'[winner])
    await storage.uploads.commit('two', 'blobs/two', blobDigestOf(expected))
  })

  check('uploads: unknown, aborted and committed ones', async (storage, other) => {
    const { uploads } = storage
    const digest = blobDigestOf(Buffer.from('x'))
    const unknown = async (id: string) => {
      assert.equal(await uploads.find(id), undefined)
      await assert.rejects(uploads.append(id, 0, chunks(Buffer.from('x'), 1)), (error) => isKind(error, 'notFound'))
      await assert.rejects(uploads.commit(id, 'blobs/x', digest), (error) => isKind(error, 'notFound'))
      await uploads.abort(id)
    }
    await unknown('never')
    await uploads.create('aborted')
    await uploads.append('aborted', 0, chunks(Buffer.from('x'), 1))
    await other.uploads.abort('aborted')
    await unknown('aborted')
    await uploads.create('done')
    await uploads.append('done', 0, chunks(Buffer.from('x'), 1))
    await other.uploads.commit('done', 'blobs/done', digest)
    await unknown('done')
    assert.equal(await text(uploadsObject(storage, 'blobs/done')), 'x')
  })

  check('uploads: commit over an object that is there', async (storage) => {
    const digest = blobDigestOf(Buffer.from('same'))
    for (const id of ['s1', 's2']) {
      await storage.uploads.create(id)
      await storage.uploads.append(id, 0, chunks(Buffer.from('same'), 2))
      assert.equal(await storage.uploads.commit(id, 'blobs/same', digest), 4)
    }
    assert.equal(await text(storage.objects.open('blobs/same')), 'same')
  })

  check('uploads: list() shows all, in pages', async (storage, other) => {
    for (const id of ['c', 'a', 'b']) await storage.uploads.create(id)
    const ids: string[] = []
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page = await other.uploads.list({ after, limit: 2 })
      ids.push(...page.uploads.map(({ id }) => id))
      after = page.next
    }
    assert.deepEqual(ids, ['a', 'b', 'c'])
    await other.uploads.abort('b')
    const left = await storage.uploads.list()
    assert.deepEqual(
      left.uploads.map(({ id }) => id),
      ['a', 'c'],
    )
    assert.ok((left.uploads[0]?.modifiedAt ?? new Date(0)) > new Date(0))
  })
}

function uploadsObject({ objects }: RegistryStorage, key: string) {
  return objects.open(key)
}

async function* chunks(bytes: Buffer, size: number): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function text(opened: Promise<AsyncIterable<Buffer>>): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of await opened) parts.push(part)
  return Buffer.concat(parts).toString()
}

async function hash(
  opened: Promise<AsyncIterable<Buffer>>,
  algorithm: 'sha256' | 'sha512' = 'sha256',
): Promise<BlobDigest> {
  const hash = createHash(algorithm)
  for await (const part of await opened) hash.update(part)
  return `${algorithm}:${hash.digest('hex')}`
}
