import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FileGrowth } from './growing-file.ts'
import { LayerPool } from './layer-pool.ts'

test('LayerPool.run() packs a directory while archives wait for their clients', async () => {
  const root = mkdtempSync(join(tmpdir(), 'b-'))
  const pool = new LayerPool({ size: 1, inlineBytes: 0 })
  const growth = new FileGrowth()
  try {
    const stalled = join(root, 'stalled')
    writeFileSync(stalled, '')
    const source = { from: 'file', path: stalled, sizeBytes: 0, growth: growth.shared } as const
    const waiting = [pool.run({ source }), pool.run({ source })]
    mkdirSync(join(root, 'tree'))
    writeFileSync(join(root, 'tree', 'file'), 'x')
    const output = join(root, 'tar')
    writeFileSync(output, '')
    const packed = await pool.run({
      source: { from: 'directory', path: join(root, 'tree'), leaveOut: [], output, sizeBytes: 1 },
    })
    assert.match(packed.digest, /^sha256:/)
    growth.complete()
    assert.equal((await Promise.all(waiting)).length, 2)
  } finally {
    await pool.close()
    rmSync(root, { recursive: true, force: true })
  }
})
