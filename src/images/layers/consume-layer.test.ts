import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { packEntries } from '../../archive/index.ts'
import { type Digest, digestOf } from '../../oci/index.ts'
import { consumeLayer, type LayerFile } from './consume-layer.ts'

async function tarOf(name: string, text: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const entry = { type: 'file', path: name, mode: 0o644, mtimeNs: 0n, ...owner } as const
  for await (const chunk of packEntries([{ entry, body: Buffer.from(text) }])) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** A file with these bytes, and an empty directory to unpack into. */
function place(t: TestContext, bytes: Buffer): { readonly file: LayerFile; readonly target: string } {
  const root = mkdtempSync(join(tmpdir(), 'bt-cn-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const [path, target] = [join(root, 'blob'), join(root, 'files')]
  writeFileSync(path, bytes)
  mkdirSync(target)
  return { file: { path, algorithm: 'sha256' }, target }
}

async function* inPieces(bytes: Buffer, size = 100): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const host = { signal: new AbortController().signal }

test('consumeLayer() hashes the blob and the tar in it, and unpacks the files', async (t) => {
  const tar = await tarOf('hello', 'content')
  for (const blob of [tar, gzipSync(tar)]) {
    const { file, target } = place(t, blob)
    let last = 0
    const { digest, sizeBytes, unpacked } = await consumeLayer(inPieces(blob), file, target, host, (count) => {
      last = count
    })
    assert.deepEqual([digest, sizeBytes, last], [digestOf(blob), blob.length, blob.length])
    assert.deepEqual([unpacked?.diffId, unpacked?.sizeBytes], [digestOf(tar), 'content'.length])
    assert.equal(readFileSync(join(target, 'hello'), 'utf8'), 'content')
  }
})

test('consumeLayer() covers bytes after the compressed data, and other algorithms', async (t) => {
  const tar = await tarOf('hello', 'content')
  const padded = Buffer.concat([gzipSync(tar), Buffer.alloc(5000)])
  const long = place(t, padded)
  const whole = await consumeLayer(inPieces(padded), long.file, long.target, host, () => {})
  assert.deepEqual([whole.digest, whole.unpacked?.diffId], [digestOf(padded), digestOf(tar)])
  const { file, target } = place(t, tar)
  const found = await consumeLayer(inPieces(tar), { ...file, algorithm: 'sha512' }, target, host, () => {})
  assert.equal(found.digest, `sha512:${createHash('sha512').update(tar).digest('hex')}`)
  const only = await consumeLayer(inPieces(tar), file, undefined, host, () => {})
  assert.deepEqual([only.digest, only.unpacked], [digestOf(tar), undefined])
})

test('consumeLayer() tells damaged bytes from a layer that is invalid in itself', async (t) => {
  const tar = await tarOf('hello', 'content')
  const damaged = Buffer.from(gzipSync(tar))
  damaged.fill(0xff, 20, 40)
  const consume = (expected: Digest) => {
    const { file, target } = place(t, damaged)
    return consumeLayer(inPieces(damaged), { ...file, expected }, target, host, () => {})
  }
  await assert.rejects(consume(digestOf('what it should be')), { kind: 'dataLoss', message: /verification failed/ })
  await assert.rejects(consume(digestOf(damaged)), { kind: 'invalidArgument' })
})

test('consumeLayer() ends its source, and stops on abort', async (t) => {
  const tar = await tarOf('hello', 'content')
  const { file, target } = place(t, tar)
  let ended = false
  async function* source(): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* inPieces(tar)
    } finally {
      ended = true
    }
  }
  const abort = new AbortController()
  const consuming = consumeLayer(source(), file, target, { signal: abort.signal }, () => abort.abort(new Error('stop')))
  await assert.rejects(consuming, { message: 'stop' })
  assert.ok(ended)
  assert.ok(!existsSync(join(target, 'hello')))
})
