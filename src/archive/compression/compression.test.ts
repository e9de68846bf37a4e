import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { isKind } from '../../base/index.ts'
import { decompress, detectCompression } from './compression.ts'

const text = Buffer.from('some text that is long enough '.repeat(50_000))

async function* pieces(data: Buffer, step: number): AsyncIterable<Buffer> {
  for (let at = 0; at < data.length; at += step) yield data.subarray(at, at + step)
}

async function inflate(data: Buffer, step = 1000): Promise<{ compression: string; data: Buffer }> {
  const { compression, data: output } = await decompress(pieces(data, step))
  const parts: Buffer[] = []
  for await (const part of output) parts.push(part)
  return { compression, data: Buffer.concat(parts) }
}

for (const step of [1, 3, 1000, 1 << 20]) {
  test(`decompress() tells the compression by magic, in pieces of ${step}`, async () => {
    const small = step < 10 ? text.subarray(0, 5000) : text
    assert.deepEqual(await inflate(gzipSync(small), step), { compression: 'gzip', data: small })
    assert.deepEqual(await inflate(zstdCompressSync(small), step), { compression: 'zstd', data: small })
    assert.deepEqual(await inflate(small, step), { compression: 'none', data: small })
  })
}

test('decompress() reads several gzip members and zstd frames', async () => {
  const half = text.length / 2
  const parts = [text.subarray(0, half), text.subarray(half)]
  assert.deepEqual((await inflate(Buffer.concat(parts.map((part) => gzipSync(part))))).data, text)
  assert.deepEqual((await inflate(Buffer.concat(parts.map((part) => zstdCompressSync(part))))).data, text)
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9])
  assert.deepEqual((await inflate(Buffer.concat([skippable, zstdCompressSync(text)]))).data, text)
})

test('decompress() accepts data that is shorter than a magic number', async () => {
  assert.deepEqual((await inflate(Buffer.from('ab'))).data.toString(), 'ab')
  assert.equal((await inflate(Buffer.alloc(0))).data.length, 0)
})

test('decompress() reports truncated and damaged data', async () => {
  for (const compressed of [gzipSync(text), zstdCompressSync(text)]) {
    const damaged = Buffer.from(compressed)
    damaged.fill(7, 20, 60)
    for (const bad of [compressed.subarray(0, compressed.length - 20), damaged]) {
      await assert.rejects(inflate(bad), (error) => isKind(error, 'invalidArgument'))
    }
  }
})

test('decompress() fails with the error of its source', async () => {
  const failure = new Error('connection lost')
  async function* source(): AsyncIterable<Buffer> {
    yield gzipSync(text).subarray(0, 1000)
    throw failure
  }
  const { data } = await decompress(source())
  await assert.rejects(async () => {
    for await (const _ of data);
  }, failure)
})

test('detectCompression() refuses xz and bzip2 by name', () => {
  assert.throws(() => detectCompression(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])), /xz compression/)
  assert.throws(() => detectCompression(Buffer.from('BZh9')), /bzip2 compression/)
})

test('decompress() reads its source to the end, past the compressed data', { timeout: 10_000 }, async () => {
  for (const tail of [10, 100_000, 3_000_000]) {
    let seen = 0
    async function* source(): AsyncIterable<Buffer> {
      for await (const piece of pieces(Buffer.concat([gzipSync(text), Buffer.alloc(tail)]), 5000)) {
        seen += piece.length
        yield piece
      }
    }
    const { data } = await decompress(source())
    let length = 0
    for await (const part of data) length += part.length
    assert.equal(length, text.length)
    assert.equal(seen, gzipSync(text).length + tail)
  }
})

test('decompress() ends its source when its reader stops early', { timeout: 10_000 }, async () => {
  let isClosed = false
  async function* source(): AsyncIterable<Buffer> {
    try {
      const bytes = gzipSync(text)
      for (;;) yield bytes
    } finally {
      isClosed = true
    }
  }
  const { data } = await decompress(source())
  for await (const _ of data) break
  assert.equal(isClosed, true)
})
