import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { digestOf } from '../oci/index.ts'
import { LocalContentStore } from './local-content-store.ts'

test('LocalContentStore finds an ingest again after a restart, its digest covering the earlier bytes', async () => {
  const root = await mkdtemp(join(tmpdir(), 'bt-cs-'))
  try {
    const before = await LocalContentStore.open(root)
    // Never closed: the process dies here.
    const lost = await before.ingest('sha256:1234')
    lost.write(Buffer.alloc(3_000_000, 1))
    const store = await LocalContentStore.open(root)
    const ingest = await store.ingest('sha256:1234')
    assert.equal(ingest.offset, 3_000_000)
    ingest.write(Buffer.from('end'))
    const digest = digestOf(Buffer.concat([Buffer.alloc(3_000_000, 1), Buffer.from('end')]))
    await ingest.commit({ digest })
    assert.equal((await store.info(digest)).sizeBytes, 3_000_003)
    lost.close()
  } finally {
    await rm(root, { recursive: true, force: true })
  }
})

test('LocalContentStore.dropBroken() removes what no ingest can go on from', async () => {
  const root = await mkdtemp(join(tmpdir(), 'bt-cs-'))
  try {
    const store = await LocalContentStore.open(root)
    const kept = await store.ingest('layer')
    kept.write(Buffer.from('begun'))
    kept.close()
    await writeFile(join(root, 'ingests/put-0123-4'), 'half')
    await mkdir(join(root, 'ingests/0123'))
    await store.dropBroken()
    assert.equal((await readdir(join(root, 'ingests'))).length, 1)
    assert.equal((await store.ingest('layer')).offset, 5)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
})
