import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocalContentStore, MemoryContentStore } from '../../src/content/index.ts'
import { contentStoreSuite } from './content-store.ts'

contentStoreSuite('MemoryContentStore', async () => ({ store: new MemoryContentStore(), async teardown() {} }))

contentStoreSuite('LocalContentStore', async () => {
  const root = await mkdtemp(join(tmpdir(), 'bt-cs-'))
  return { store: await LocalContentStore.open(root), teardown: () => rm(root, { recursive: true, force: true }) }
})
