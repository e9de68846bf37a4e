import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTimestamp } from './timestamp.ts'

test('parseTimestamp() reads seconds, decimals and RFC 3339', () => {
  assert.equal(parseTimestamp('since', ''), undefined)
  assert.equal(parseTimestamp('since', '0'), undefined)
  assert.equal(parseTimestamp('since', '1700000000'), 1_700_000_000_000_000_000n)
  assert.equal(parseTimestamp('since', '1700000000.000000001'), 1_700_000_000_000_000_001n)
  assert.equal(parseTimestamp('since', '1700000000.5'), 1_700_000_000_500_000_000n)
  assert.equal(parseTimestamp('since', '2023-11-14T22:13:20Z'), 1_700_000_000_000_000_000n)
  assert.equal(parseTimestamp('since', '2023-11-14T23:13:20.25+01:00'), 1_700_000_000_250_000_000n)
  assert.equal(parseTimestamp('since', '2023-11-14'), 1_699_920_000_000_000_000n)
  assert.throws(() => parseTimestamp('since', '10m'), { kind: 'invalidArgument', message: /invalid value for "since"/ })
})
