import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CapturedOutput } from '../testing/run-cli.ts'
import { DetachFilter, parseDetachKeys } from './detach-keys.ts'
import { formatProgress, ProgressDisplay } from './progress-display.ts'

const messages = [
  { status: 'Pulling from library/x', id: 'latest' },
  { status: 'Pulling fs layer', progressDetail: {}, id: 'aaa' },
  { status: 'Pulling fs layer', progressDetail: {}, id: 'bbb' },
  { status: 'Downloading', progressDetail: { current: 500_000, total: 1_000_000 }, id: 'aaa' },
  { status: 'Pull complete', progressDetail: {}, id: 'bbb' },
  { status: 'Status: done' },
]

test('ProgressDisplay prints changes of state where there is no terminal', () => {
  const output = new CapturedOutput()
  const display = new ProgressDisplay(output)
  for (const message of messages) display.show(message)
  const lines = [
    'latest: Pulling from library/x',
    'aaa: Pulling fs layer',
    'bbb: Pulling fs layer',
    'bbb: Pull complete',
    'Status: done',
  ]
  assert.equal(output.text, `${lines.join('\n')}\n`)
})

test('ProgressDisplay redraws the line of each layer on a terminal', () => {
  const output = new CapturedOutput({ isTerminal: true, columns: 80 })
  const display = new ProgressDisplay(output)
  for (const message of messages) display.show(message)
  const line = (up: number, text: string): string => `\x1b[${up}A\x1b[2K\r${text}\r\x1b[${up}B`
  const expected = [
    'latest: Pulling from library/x\n',
    `\n${line(1, 'aaa: Pulling fs layer')}`,
    `\n${line(1, 'bbb: Pulling fs layer')}`,
    line(2, 'aaa: Downloading    500kB/1MB'),
    line(1, 'bbb: Pull complete'),
    'Status: done\n',
  ]
  assert.equal(output.text, expected.join(''))
})

test('formatProgress() draws a bar where there is room', () => {
  assert.equal(formatProgress({ current: 1, total: 2 }, 120), `[${'='.repeat(25)}>${' '.repeat(25)}]       1B/2B`)
  assert.equal(formatProgress({ current: 3695, total: 64_010_000 }, 80), ' 3.695kB/64.01MB')
  assert.equal(formatProgress({ current: 5, total: 10, units: 'files' }, 80), ' 5 files/10 files')
  assert.equal(formatProgress({}, 80), '')
  assert.equal(formatProgress(undefined, 80), '')
})

test('DetachFilter finds the keys in any pieces and passes the rest on', () => {
  const keys = parseDetachKeys('')
  const run = (...pieces: string[]): [string, boolean] => {
    const filter = new DetachFilter(keys)
    let text = ''
    for (const piece of pieces) {
      const { data, detached } = filter.feed(Buffer.from(piece))
      text += data.toString()
      if (detached) return [text, true]
    }
    return [text, false]
  }
  assert.deepEqual(run('abc'), ['abc', false])
  assert.deepEqual(run('ab\x10\x11c'), ['ab', true])
  assert.deepEqual(run('a\x10', '\x11'), ['a', true])
  assert.deepEqual(run('a\x10', 'b'), ['a\x10b', false])
  assert.deepEqual(run('\x10\x10\x11'), ['\x10', true])
  assert.deepEqual(parseDetachKeys('ctrl-x,a,ctrl-@'), [24, 97, 0])
  assert.throws(() => parseDetachKeys('ctrl-1'), /invalid detach keys/)
})
