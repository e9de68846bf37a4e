import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { turnsDuring } from '../../../test/helpers/turns.ts'
import { FileWorkers } from './file-workers.ts'

const root = mkdtempSync('/tmp/b-fw-')
after(() => rmSync(root, { recursive: true }))

test('FileWorkers hash a large file without blocking the event loop', async () => {
  const large = join(root, 'large')
  writeFileSync(large, '')
  truncateSync(large, 8 * 1024 * 1024)
  const workers = new FileWorkers()
  try {
    const turns = await turnsDuring(async () => {
      const { digests } = await workers.run({ kind: 'hash', paths: [large] })
      assert.deepEqual(digests, ['2daeb1f36095b44b318410b3f4e8b5d989dcc7bb023d1426c492dab0a3053e74'])
    })
    assert.notEqual(turns, 0)
  } finally {
    await workers.close()
  }
})
