import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { gzipBlocks } from './gzip-blocks.ts'

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function compress(bytes: Buffer, size: number, parallel: number): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of gzipBlocks(cut(bytes, size), { parallel })) parts.push(part)
  return Buffer.concat(parts)
}

test('gzipBlocks() makes one member that any gunzip reads, the same for any cut and any number of threads', async () => {
  const text = Buffer.from(randomBytes(1_700_000).toString('hex'))
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('a'),
    text.subarray(0, 1 << 20),
    text.subarray(0, (1 << 20) + 1),
    text,
  ]) {
    const one = await compress(bytes, 65_536, 1)
    const other = await compress(bytes, 700_001, 4)
    assert.ok(one.equals(other))
    assert.ok(gunzipSync(one).equals(bytes))
  }
})
