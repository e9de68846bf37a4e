import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CapturedOutput } from '../testing/run-cli.ts'
import { DetachFilter, parseDetachKeys } from './detach-keys.ts'
import { ProgressDisplay } from './progress-display.ts'
import { formatTransfer } from './transfer-line.ts'

const messages = [
  { status: 'Pulling from library/x', id: 'latest' },
  { status: 'Pulling fs layer', progressDetail: {}, id: 'aaa' },
  { status: 'Pulling fs layer', progressDetail: {}, id: 'bbb' },
  { status: 'Downloading', progressDetail: { current: 500_000, total: 1_000_000 }, id: 'aaa' },
  { status: 'Pull complete', progressDetail: {}, id: 'bbb' },
  { progressDetail: {}, aux: { Tag: 'latest' } },
  { status: 'Status: done' },
]

test('ProgressDisplay without a terminal prints one line for each layer', () => {
  const output = new CapturedOutput()
  const display = new ProgressDisplay(output)
  for (const message of messages) display.show(message)
  display.show({ status: 'Retrying in 2 seconds', progressDetail: {}, id: 'aaa' })
  display.show({ status: 'Layer already exists', progressDetail: {}, id: 'aaa' })
  const lines = [
    'latest: Pulling from library/x',
    'bbb: Pull complete',
    'Status: done',
    'aaa: Retrying in 2 seconds',
    'aaa: Layer already exists',
  ]
  assert.equal(output.text, `${lines.join('\n')}\n`)
})

test('ProgressDisplay redraws the line of each layer on a terminal', () => {
  const output = new CapturedOutput({ isTerminal: true, columns: 80 })
  const display = new ProgressDisplay(output, { now: () => 0 })
  for (const message of messages) display.show(message)
  const line = (up: number, text: string): string => `\x1b[${up}A\x1b[2K\r${text}\r\x1b[${up}B`
  const expected = [
    'latest: Pulling from library/x\n',
    `\n${line(1, 'aaa  Pulling fs layer')}`,
    `\n${line(1, 'bbb  Pulling fs layer')}`,
    line(2, `aaa  Downloading    [${'#'.repeat(9)}${'.'.repeat(8)}]  50%  500kB/1MB`),
    line(1, 'bbb  Pull complete'),
    'Status: done\n',
  ]
  assert.equal(output.text, expected.join(''))
})

test('ProgressDisplay shows speed and time left, and limits how often it draws', () => {
  const output = new CapturedOutput({ isTerminal: true, columns: 120 })
  let nowMs = 0
  const display = new ProgressDisplay(output, { now: () => nowMs })
  const at = (ms: number, current: number) => {
    nowMs = ms
    display.show({ status: 'Pushing', progressDetail: { current, total: 400_000_000 }, id: 'aaa' })
  }
  at(0, 0)
  at(10, 50_000)
  at(1000, 100_000_000)
  assert.match(output.text, /\] {2}25% {2}100MB\/400MB {2}100MB\/s {2}3s left\r/)
  assert.equal(output.text.split('\x1b[2K').length - 1, 2)
})

test('ProgressDisplay does not redraw lines that have scrolled off the screen', () => {
  const output = new CapturedOutput({ isTerminal: true })
  const display = new ProgressDisplay(output)
  for (let layer = 0; layer < output.rows + 1; layer += 1) {
    display.show({ status: 'Waiting', progressDetail: {}, id: `layer${layer}` })
  }
  const before = output.text.length
  display.show({ status: 'Pushed', progressDetail: {}, id: 'layer0' })
  assert.equal(output.text.length, before)
  display.show({ status: 'Pushed', progressDetail: {}, id: `layer${output.rows}` })
  assert.notEqual(output.text.length, before)
})

test("formatTransfer() fits any terminal's width", () => {
  const detail = { current: 12_300_000, total: 64_010_000 }
  for (const columns of [20, 40, 60, 80, 200]) {
    const text = formatTransfer({ id: '0123456789ab', status: 'Downloading', detail, bytesPerSecond: 1e6 }, columns)
    assert.ok(text.length < columns, text)
    assert.equal(text.includes('['), columns >= 80)
  }
  const files = { current: 5, total: 10, units: 'files' }
  assert.match(
    formatTransfer({ id: 'a', status: 's', detail: files, bytesPerSecond: undefined }, 80),
    /50% {2}5 files\/10 files$/,
  )
  const slow = { id: 'a', status: 's', detail: { current: 1, total: 4_000_000 }, bytesPerSecond: 1000 }
  assert.match(formatTransfer(slow, 80), /1h06m left$/)
})

test('DetachFilter finds keys that arrive in pieces, and passes the rest on', () => {
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
