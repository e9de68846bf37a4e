import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineJoiner, type RawLine } from './line-joiner.ts'

const at = (offset: number) => ({ inode: 1, head: 'h', offset })

function line(stream: 'stdout' | 'stderr', text: string, offset: number, partial = false): RawLine {
  const end = at(offset + text.length)
  return { stream, timeNs: BigInt(offset), text: Buffer.from(text), partial, start: at(offset), end }
}

function shown(records: ReturnType<LineJoiner['push']>): unknown[] {
  return records.map(({ stream, text, position }) => [stream, text.toString(), position.offset])
}

test('LineJoiner joins the parts of each stream, and positions stay before incomplete lines', () => {
  const joiner = new LineJoiner()
  assert.deepEqual(shown(joiner.push(line('stdout', 'ab', 0, true))), [])
  // A reader that starts later would miss the beginning of stdout's line.
  assert.deepEqual(shown(joiner.push(line('stderr', 'err', 10))), [['stderr', 'err', 0]])
  assert.deepEqual(shown(joiner.push(line('stdout', 'cd', 20))), [['stdout', 'abcd', 22]])
  assert.deepEqual(shown(joiner.push(line('stderr', 'x', 30))), [['stderr', 'x', 31]])
})

test('LineJoiner splits a long line into parts of up to 16 KiB', () => {
  const joiner = new LineJoiner()
  const part = 'x'.repeat(8192)
  const records = [0, 1, 2, 3].flatMap((index) => joiner.push(line('stdout', part, index * 10_000, true)))
  records.push(...joiner.push(line('stdout', 'end', 40_000)))
  assert.deepEqual(
    records.map(({ text, part: of }) => [text.length, of?.ordinal, of?.last]),
    [
      [16_384, 1, false],
      [16_384, 2, false],
      [3, 3, true],
    ],
  )
  assert.equal(new Set(records.map(({ part: of }) => of?.id)).size, 1)
  assert.deepEqual(
    records.map(({ position }) => position.offset),
    [20_000, 40_000, 40_003],
  )
})

test('LineJoiner flushes incomplete lines as whole ones', () => {
  const joiner = new LineJoiner()
  joiner.push(line('stdout', 'prompt> ', 0, true))
  assert.deepEqual(shown(joiner.flush(at(8))), [['stdout', 'prompt> ', 8]])
  assert.deepEqual(joiner.flush(at(8)), [])
})
