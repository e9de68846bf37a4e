import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { FileGrowth, readGrowing } from './growing-file.ts'

function file(t: TestContext): string {
  const directory = mkdtempSync('/tmp/b-grow-')
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'f')
  appendFileSync(path, '')
  return path
}

test('readGrowing() waits for bytes that are not written yet', async (t) => {
  const path = file(t)
  const growth = new FileGrowth()
  const write = async () => {
    for (let at = 1; at <= 20; at += 1) {
      appendFileSync(path, 'x'.repeat(1000))
      growth.advance(at * 1000)
      if (at % 5 === 0) await nextTurn()
    }
    growth.complete()
  }
  const writing = write()
  let length = 0
  for await (const chunk of readGrowing(path, growth.shared)) length += chunk.length
  await writing
  assert.equal(length, 20_000)
})

test('readGrowing() yields every byte in order, with steps and with reused memory', async (t) => {
  const path = file(t)
  const growth = new FileGrowth({ stepBytes: 500_000 })
  const content = Buffer.alloc(3_000_001, 'some bytes that are not the same everywhere ')
  const write = async () => {
    for (let at = 0; at < content.length; at += 100_000) {
      appendFileSync(path, content.subarray(at, at + 100_000))
      growth.advance(Math.min(at + 100_000, content.length))
      await nextTurn()
    }
    growth.complete()
  }
  const writing = write()
  const hash = createHash('sha256')
  const firsts: Buffer[] = []
  const mayReuse = (first: Buffer) => firsts.push(first) === 1
  for await (const chunk of readGrowing(path, growth.shared, { mayReuse })) hash.update(chunk)
  await writing
  assert.equal(hash.digest('hex'), createHash('sha256').update(content).digest('hex'))
  assert.equal(firsts.length, 1)
})

test('readGrowing() fails after the writer failed, and ends at once on a complete file', async (t) => {
  const path = file(t)
  const failed = new FileGrowth()
  const reading = assert.rejects(readGrowing(path, failed.shared).next(), { kind: 'cancelled' })
  failed.fail()
  await reading
  const complete = new FileGrowth()
  complete.complete()
  assert.equal((await readGrowing(path, complete.shared).next()).done, true)
})
