import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSignal, signalName } from './signals.ts'

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

test('signalName: is the inverse of parseSignal', () => {
  for (let value = 1; value <= 64; value++) {
    const name = signalName(value)
    // 32 and 33 belong to the C library and have no name.
    if (name.startsWith('SIG')) assert.equal(parseSignal(name), value)
    else assert.ok(value === 32 || value === 33, name)
  }
  assert.equal(signalName(6), 'SIGABRT')
})
