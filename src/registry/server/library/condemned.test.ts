import assert from 'node:assert/strict'
import { mkdtemp, rm, utimes } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isKind } from '../../../base/index.ts'
import { collectGarbage } from '../gc/collect-garbage.ts'
import { blobDigestOf } from '../model/blob-digest.ts'
import { blobKey, condemnedKey, linkKey, manifestKey } from '../model/registry-keys.ts'
import { objectPath } from '../storage/folder/folder-paths.ts'
import { FolderStorage } from '../storage/folder/folder-storage.ts'
import type { ObjectStorage, RegistryStorage, UploadStorage } from '../storage/registry-storage.ts'
import { BlobLibrary } from './blob-library.ts'
import { awaitVerdict, Verdict } from './condemned.ts'
import { encodeManifest } from './stored-manifest.ts'

const hourAgo = new Date(Date.now() - 3_600_000)
const bytes = Buffer.from('a blob')
const digest = blobDigestOf(bytes)
const nothing = Buffer.alloc(0)
const ages = { graceMs: 60_000, uploadMaxAgeMs: 3_600_000 }

interface Folder {
  readonly storage: RegistryStorage
  readonly blobs: BlobLibrary
  /** Stores an object with a modification time of an hour ago. */
  writeOld(key: string, content?: Buffer): Promise<void>
}

async function openFolder(context: TestContext): Promise<Folder> {
  const root = await mkdtemp('/tmp/br-')
  const storage = await FolderStorage.open(root)
  context.after(async () => {
    await storage.close()
    await rm(root, { recursive: true })
  })
  return {
    storage,
    blobs: new BlobLibrary(storage, { freshMs: ages.graceMs / 2 }),
    writeOld: async (key, content = nothing) => {
      await storage.objects.write(key, content)
      await utimes(objectPath(root, key), hourAgo, hourAgo)
    },
  }
}

/** The same object with some methods replaced. */
function instead<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_target, name) {
      const value = Reflect.get(name in methods ? methods : target, name) as unknown
      return typeof value === 'function' ? value.bind(name in methods ? methods : target) : value
    },
  })
}

function withObjects(storage: RegistryStorage, methods: Partial<ObjectStorage>): RegistryStorage {
  return instead<RegistryStorage>(storage, { objects: instead(storage.objects, methods) })
}

/** A manifest of `repository` that names the blob. */
async function keepIn({ storage }: Folder, repository: string): Promise<void> {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const part = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: bytes.length }
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config: part, layers: [part] }))
  const stored = encodeManifest(mediaType, manifest)
  await storage.objects.write(manifestKey(repository, blobDigestOf(manifest)), stored)
}

test('collectGarbage() begins no deletion under an old verdict, and finishes under a new one', async (context) => {
  const folder = await openFolder(context)
  const { storage, writeOld } = folder
  const repositories = ['one', 'two', 'three', 'four', 'five']
  await writeOld(blobKey(digest), bytes)
  for (const name of repositories) await writeOld(linkKey(name, digest))
  let clock = 0
  const verdicts: number[] = []
  const deletions: { readonly key: string; readonly age: number }[] = []
  const slow = withObjects(storage, {
    write: async (key, content, options) => {
      if (key === condemnedKey(digest)) verdicts.push(clock)
      return await storage.objects.write(key, content, options)
    },
    delete: async (key) => {
      if (key.startsWith('links/') || key.startsWith('blobs/')) {
        deletions.push({ key, age: clock - (verdicts.at(-1) ?? Number.NaN) })
        clock += 3_000
      }
      await storage.objects.delete(key)
    },
  })
  const report = await collectGarbage(slow, { ...ages, now: () => clock })
  assert.deepEqual([report.blobsDeleted, report.linksDeleted], [1, repositories.length])
  assert.deepEqual(
    deletions.map(({ age }) => age).filter((age) => !(age <= 5_000)),
    [],
  )
  assert.equal(deletions.length, repositories.length + 1)
  assert.equal(deletions.at(-1)?.key, blobKey(digest))
  assert.equal(verdicts.length, 3)
  for (const prefix of ['blobs/', 'links/', 'condemned/'])
    assert.deepEqual((await storage.objects.list(prefix)).objects, [], prefix)
})

test('collectGarbage() keeps a blob if no deletion can begin in time', async (context) => {
  const { storage, writeOld } = await openFolder(context)
  await writeOld(blobKey(digest), bytes)
  await writeOld(linkKey('one', digest))
  let clock = 0
  const slow = withObjects(storage, {
    list: async (prefix, options) => {
      clock += 6_000
      return await storage.objects.list(prefix, options)
    },
  })
  const report = await collectGarbage(slow, { ...ages, now: () => clock })
  assert.deepEqual([report.blobsDeleted, report.blobsKept, report.linksDeleted], [0, 1, 0])
  assert.notEqual(await storage.objects.stat(linkKey('one', digest)), undefined)
  assert.equal(await storage.objects.stat(condemnedKey(digest)), undefined)
})

test('a request that waits for a verdict goes on before the next one, and keeps the blob', async (context) => {
  const { storage, blobs, writeOld } = await openFolder(context)
  await writeOld(blobKey(digest), bytes)
  for (const name of ['one', 'two', 'three']) await writeOld(linkKey(name, digest))
  let clock = 0
  let mounting: ReturnType<BlobLibrary['mount']> | undefined
  const slow = withObjects(storage, {
    delete: async (key) => {
      if (key.startsWith('links/')) {
        clock += 4_000
        // After this link, the verdict is too old for further deletions.
        if (clock === 8_000) mounting = blobs.mount('new', 'three', digest)
        await waitFor(async () => clock !== 8_000 || (await storage.objects.stat(linkKey('new', digest))) !== undefined)
      }
      await storage.objects.delete(key)
    },
  })
  const report = await collectGarbage(slow, { ...ages, now: () => clock })
  assert.deepEqual([report.blobsDeleted, report.linksDeleted], [0, 3])
  assert.equal((await mounting)?.sizeBytes, bytes.length)
  assert.notEqual(await blobs.find('new', digest), undefined)
})

test('claim() keeps the link that it renews while a collection deletes it', async (context) => {
  const folder = await openFolder(context)
  const { storage, blobs, writeOld } = folder
  await writeOld(blobKey(digest), bytes)
  for (const name of ['one', 'two']) await writeOld(linkKey(name, digest))
  await keepIn(folder, 'two')
  let claiming: ReturnType<BlobLibrary['claim']> | undefined
  const racing = withObjects(storage, {
    delete: async (key) => {
      if (key === linkKey('one', digest)) {
        claiming = blobs.claim('one', digest)
        await waitFor(() => isRenewed(storage, key))
      }
      await storage.objects.delete(key)
    },
  })
  assert.equal((await collectGarbage(racing, ages)).linksDeleted, 1)
  assert.notEqual(await claiming, undefined)
  assert.notEqual(await blobs.find('one', digest), undefined)
})

test('commitUpload() leaves the link of the stored blob, whatever a collection does', async (context) => {
  const folder = await openFolder(context)
  const { storage, writeOld } = folder
  await writeOld(blobKey(digest), bytes)
  for (const name of ['one', 'two']) await writeOld(linkKey(name, digest))
  await keepIn(folder, 'two')
  await storage.uploads.create('upload')
  await storage.uploads.append('upload', 0, chunksOf(bytes))
  // The upload checks for a verdict before the collection begins, and writes its link after the collection read the links.
  const begun = Promise.withResolvers<void>()
  const mayCommit = Promise.withResolvers<void>()
  const commit: UploadStorage['commit'] = async (id, key, wanted) => {
    begun.resolve()
    await mayCommit.promise
    return await storage.uploads.commit(id, key, wanted)
  }
  const held = instead<RegistryStorage>(storage, { uploads: instead(storage.uploads, { commit }) })
  const blobs = new BlobLibrary(held, { freshMs: ages.graceMs / 2 })
  const committing = blobs.commitUpload('one', 'upload', digest)
  await begun.promise
  const racing = withObjects(storage, {
    delete: async (key) => {
      if (key === linkKey('one', digest)) {
        mayCommit.resolve()
        await waitFor(() => isRenewed(storage, key))
      }
      await storage.objects.delete(key)
    },
  })
  assert.equal((await collectGarbage(racing, ages)).linksDeleted, 1)
  assert.equal(await committing, bytes.length)
  assert.notEqual(await blobs.find('one', digest), undefined)
})

test('Verdict abandons a deletion that takes too long, and stays for the waiting requests', async (context) => {
  const { storage } = await openFolder(context)
  const timeout = new AbortController()
  context.mock.method(AbortSignal, 'timeout', () => timeout.signal)
  const hanging = instead(storage.objects, {
    delete: (_key, { signal } = {}) =>
      new Promise<void>((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason))
        timeout.abort()
      }),
  } satisfies Partial<ObjectStorage>)
  const verdict = await Verdict.pass(hanging, digest, () => 0)
  await assert.rejects(verdict.delete(blobKey(digest)), (error) => isKind(error, 'unavailable'))
  await verdict.lift()
  assert.notEqual(await storage.objects.stat(condemnedKey(digest)), undefined)
})

test('awaitVerdict() tells whether there was a verdict', async (context) => {
  const { storage } = await openFolder(context)
  assert.equal(await awaitVerdict(storage.objects, digest), false)
  const verdict = await Verdict.pass(storage.objects, digest, () => 0)
  const looked = Promise.withResolvers<void>()
  const watched = instead(storage.objects, {
    stat: async (key) => {
      const found = await storage.objects.stat(key)
      looked.resolve()
      return found
    },
  })
  const waiting = awaitVerdict(watched, digest)
  await looked.promise
  await verdict.lift()
  assert.equal(await waiting, true)
})

async function* chunksOf(content: Buffer): AsyncGenerator<Buffer> {
  yield content
}

async function isRenewed({ objects }: RegistryStorage, key: string): Promise<boolean> {
  return ((await objects.stat(key))?.modifiedAt ?? hourAgo) > hourAgo
}

async function waitFor(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(2)
}
