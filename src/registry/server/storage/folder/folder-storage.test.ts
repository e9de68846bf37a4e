import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { test } from 'node:test'
import { registryStorageSuite } from '../../../../../test/suites/registry-storage.ts'
import { objectsPath, temporaryPath } from './folder-paths.ts'
import { FolderStorage } from './folder-storage.ts'

registryStorageSuite('FolderStorage', async () => {
  const root = await mkdtemp('/tmp/br-')
  const storage = await FolderStorage.open(root)
  const other = await FolderStorage.open(root)
  return {
    storage,
    other,
    async teardown() {
      assert.deepEqual(await readdir(temporaryPath(root)), [], 'temporary files are left')
      await storage.close()
      await other.close()
      await rm(root, { recursive: true })
    },
  }
})

test('FolderStorage refuses keys that lead out of its folder, and removes empty folders', async () => {
  const root = await mkdtemp('/tmp/br-')
  const storage = await FolderStorage.open(root)
  try {
    for (const key of ['../x', 'a/../b', '/etc/passwd', 'a//b', 'a/./b', '', 'a/b\0', 'a b']) {
      await assert.rejects(storage.objects.write(key, Buffer.from('x')), /not a storage key/, key)
      await assert.rejects(storage.objects.stat(key), /not a storage key/, key)
    }
    await storage.objects.write('a/b/c', Buffer.from('x'))
    await storage.objects.delete('a/b/c')
    assert.deepEqual(await readdir(objectsPath(root), { recursive: true }), ['a'])
  } finally {
    await storage.close()
    await rm(root, { recursive: true })
  }
})

test('FolderStorage writes into folders that are removed concurrently', async () => {
  const root = await mkdtemp('/tmp/br-')
  const storages = await Promise.all([FolderStorage.open(root), FolderStorage.open(root)])
  try {
    await Promise.all(
      Array.from({ length: 24 }, async (_, lane) => {
        const { objects } = storages[lane % 2] ?? storages[0]
        for (let round = 0; round < 40; round++) {
          await objects.write(`a/b/c/d/${lane}`, Buffer.from('x'))
          assert.notEqual(await objects.stat(`a/b/c/d/${lane}`), undefined)
          await objects.delete(`a/b/c/d/${lane}`)
        }
      }),
    )
  } finally {
    for (const storage of storages) await storage.close()
    await rm(root, { recursive: true })
  }
})
