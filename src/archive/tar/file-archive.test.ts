import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { archiveOf } from './file-archive.ts'
import { readTar } from './tar-reader.ts'

test('archiveOf() knows its size and yields files and bytes in order', async (t) => {
  const home = mkdtempSync('/tmp/b-fa-')
  t.after(() => rmSync(home, { recursive: true }))
  const large = Buffer.alloc(2_500_001, 'large ')
  writeFileSync(join(home, 'large'), large)
  writeFileSync(join(home, 'empty'), '')
  const archive = archiveOf([
    { entry: { type: 'directory', path: 'd/' } },
    { entry: { type: 'file', path: 'd/note' }, content: Buffer.from('note') },
    { entry: { type: 'file', path: 'd/large' }, content: { path: join(home, 'large'), sizeBytes: large.length } },
    { entry: { type: 'file', path: 'd/empty' }, content: { path: join(home, 'empty'), sizeBytes: 0 } },
    { entry: { type: 'file', path: 'd/again' }, content: { path: join(home, 'large'), sizeBytes: 512 } },
  ])
  for (let round = 0; round < 2; round += 1) {
    const pieces: Buffer[] = []
    // A chunk is valid only until the next one.
    for await (const piece of archive.chunks()) pieces.push(Buffer.from(piece))
    const bytes = Buffer.concat(pieces)
    assert.equal(bytes.length, archive.sizeBytes)
    const found: [string, Buffer][] = []
    for await (const { entry, body } of readTar(whole(bytes)))
      found.push([entry.path, Buffer.concat(await Array.fromAsync(body))])
    assert.deepEqual(
      found.map(([path, content]) => [path, content.length]),
      [
        ['d/', 0],
        ['d/note', 4],
        ['d/large', large.length],
        ['d/empty', 0],
        ['d/again', 512],
      ],
    )
    assert.ok(found[2]?.[1].equals(large))
  }
})

test('archiveOf() fails when a file is shorter than expected, and stops on abort', async (t) => {
  const home = mkdtempSync('/tmp/b-fa-')
  t.after(() => rmSync(home, { recursive: true }))
  const path = join(home, 'x')
  writeFileSync(path, Buffer.alloc(3_000_000))
  const archive = archiveOf([{ entry: { type: 'file', path: 'x' }, content: { path, sizeBytes: 3_000_000 } }])
  const read = async (signal?: AbortSignal) => {
    for await (const _ of archive.chunks({ signal })) truncateSync(path, 2_000_000)
  }
  await assert.rejects(read(), { kind: 'dataLoss' })
  await assert.rejects(read(AbortSignal.abort(new Error('enough'))), /enough/)
})

async function* whole(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes
}
