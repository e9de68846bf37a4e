import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSignal } from './signals.ts'

test('parseSignal: names, numbers, real-time signals', () => {
  const cases: readonly [string, number][] = [
    ['SIGKILL', 9],
    ['kill', 9],
    ['sigterm', 15],
    ['15', 15],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMAX-1', 63],
    ['64', 64],
  ]
  for (const [text, expected] of cases) assert.equal(parseSignal(text), expected, text)
})

test('parseSignal: refuses everything else', () => {
  for (const text of ['', '0', '-1', 'SIGNOPE', 'RTMIN-1', 'RTMIN+31', 'RTMAX+1', 'SIG', '9x']) {
    assert.throws(() => parseSignal(text), { kind: 'invalidArgument', message: `invalid signal: ${text}` }, text)
  }
  assert.throws(() => parseSignal('65'), { message: 'the linux daemon does not support signal 65' })
})
