import assert from 'node:assert/strict'
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { packDirectory } from '../tree/pack-directory.ts'
import { formatSparseHeader, isSparse } from './sparse-writer.ts'
import { readTar } from './tar-reader.ts'
import { tarPadding } from './tar-writer.ts'

test('formatSparseHeader() writes what readTar() reads, with long names', async () => {
  const path = `d/${'n'.repeat(120)}/ünï`
  const runs = [
    { offset: 512, length: 3 },
    { offset: 5_000_000, length: 2 },
  ]
  const archive = Buffer.concat([
    formatSparseHeader({ type: 'file', path, sizeBytes: 9_000_000 }, runs),
    Buffer.from('abcde'),
    tarPadding(5),
    Buffer.alloc(1024),
  ])
  const members: unknown[] = []
  for await (const member of readTar([archive] as unknown as AsyncIterable<Buffer>)) {
    members.push([member.entry.path, member.entry.sizeBytes, member.entry.sparse])
  }
  assert.deepEqual(members, [[path, 9_000_000, runs]])
})

test('isSparse() is true only if a whole block can be omitted', () => {
  assert.equal(isSparse(1000, [{ offset: 0, length: 1000 }]), false)
  assert.equal(isSparse(1000, [{ offset: 0, length: 900 }]), false)
  assert.equal(isSparse(1000, []), true)
})

test('packDirectory() omits holes on request', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'bsp'))
  t.after(() => rmSync(home, { recursive: true }))
  mkdirSync(join(home, 'd'))
  const fd = openSync(join(home, 'd/holes'), 'w')
  ftruncateSync(fd, 8 << 20)
  writeSync(fd, Buffer.from('x'), 0, 1, 4 << 20)
  closeSync(fd)
  writeFileSync(join(home, 'd/full'), 'full')
  const sizeOf = async (sparse: boolean): Promise<number> => {
    let bytes = 0
    for await (const chunk of packDirectory(join(home, 'd'), { sparse })) bytes += chunk.length
    return bytes
  }
  assert.ok((await sizeOf(false)) > 8 << 20)
  assert.ok((await sizeOf(true)) < 1 << 20)
})
