import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nullLogger } from '../../src/base/index.ts'
import { OverlaySnapshotter } from '../../src/snapshots/index.ts'
import { Database, SnapshotTable } from '../../src/store/index.ts'
import { snapshotterSuite } from './snapshotter.ts'

snapshotterSuite('OverlaySnapshotter', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bt-sn-'))
  const table = new SnapshotTable(Database.open(':memory:'))
  const snapshotter = await OverlaySnapshotter.open({ root: join(directory, 's'), table, logger: nullLogger })
  return {
    snapshotter,
    async teardown() {
      await snapshotter[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    },
  }
})
