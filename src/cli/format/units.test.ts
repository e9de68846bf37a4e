import assert from 'node:assert/strict'
import { test } from 'node:test'
import { indentJson } from './indent-json.ts'
import { naturalOrder } from './natural-order.ts'
import { parseTimestamp } from './parse-timestamp.ts'
import { alignColumns, ellipsis } from './table.ts'
import { ansiTime, goTimeString } from './times.ts'
import { binarySize, humanDuration, humanSize, parseBinarySize, parseDurationNs } from './units.ts'

test('humanSize() has three significant digits', () => {
  const sizes = [0, 1, 999, 1000, 1234, 9995, 99950, 1234567, 187654321, 1.5e12]
  assert.deepEqual(
    sizes.map((size) => humanSize(size)),
    ['0B', '1B', '999B', '1kB', '1.23kB', '9.99kB', '100kB', '1.23MB', '188MB', '1.5TB'],
  )
  assert.equal(humanSize(187654321, 4), '187.7MB')
  assert.equal(binarySize(8345678901), '7.773GiB')
})

test("humanDuration() has Docker's words", () => {
  const second = 1000
  const minute = 60 * second
  const hour = 60 * minute
  const day = 24 * hour
  const spans: readonly (readonly [number, string])[] = [
    [0, 'Less than a second'],
    [second, '1 second'],
    [59 * second, '59 seconds'],
    [minute, 'About a minute'],
    [46 * minute, '46 minutes'],
    [hour, 'About an hour'],
    [47 * hour, '47 hours'],
    [3 * day, '3 days'],
    [13 * day, '13 days'],
    [14 * day, '2 weeks'],
    [60 * day, '2 months'],
    [729 * day, '24 months'],
    [731 * day, '2 years'],
  ]
  for (const [ms, text] of spans) assert.equal(humanDuration(ms), text)
})

test('parseBinarySize() accepts units of 1024', () => {
  assert.equal(parseBinarySize('64m'), 64 << 20)
  assert.equal(parseBinarySize('1.5g'), 1.5 * 2 ** 30)
  assert.equal(parseBinarySize('100'), 100)
  assert.equal(parseBinarySize('2KiB'), 2048)
  assert.equal(parseBinarySize('5b'), 5)
  assert.throws(() => parseBinarySize('foo'), { message: "invalid size: 'foo'" })
})

test('parseDurationNs() accepts Go durations', () => {
  assert.equal(parseDurationNs('1h30m'), 5400e9)
  assert.equal(parseDurationNs('500ms'), 5e8)
  assert.equal(parseDurationNs('1.5s'), 15e8)
  assert.equal(parseDurationNs('0'), 0)
  assert.throws(() => parseDurationNs('5'), { message: 'time: missing unit in duration "5"' })
  assert.throws(() => parseDurationNs('x'), { message: 'time: invalid duration "x"' })
})

test('parseTimestamp() accepts times and durations', () => {
  const now = new Date('2026-01-02T03:04:05Z')
  assert.equal(parseTimestamp('2026-01-02T03:04:05Z', now), '1767323045.000000000')
  assert.equal(parseTimestamp('2026-01-02T03:04:05.123456789Z', now), '1767323045.123456789')
  assert.equal(parseTimestamp('2026-01-02T04:04:05+01:00', now), '1767323045.000000000')
  assert.equal(parseTimestamp('5s', now), '1767323040.000000000')
  assert.equal(parseTimestamp('1767323045.5', now), '1767323045.5')
  assert.throws(() => parseTimestamp('foo', now), { message: 'failed to parse value as time or duration: "foo"' })
})

test('alignColumns() widens a column to its widest cell', () => {
  assert.equal(alignColumns('A\tB\nlonger cell\tx\n'), 'A             B\nlonger cell   x\n')
  assert.equal(alignColumns('é…\tb\n'), 'é…        b\n')
})

test('indentJson() keeps numbers and order', () => {
  const text = '{"b":12345678901234567890,"a":[],"c":{},"d":[1,{"x":"\\u003c,]"}]}'
  assert.equal(
    indentJson(text, '  '),
    '{\n  "b": 12345678901234567890,\n  "a": [],\n  "c": {},\n  "d": [\n    1,\n    {\n      "x": "\\u003c,]"\n    }\n  ]\n}',
  )
})

test('ellipsis() counts characters', () => {
  assert.equal(ellipsis('abcdef', 6), 'abcdef')
  assert.equal(ellipsis('abcdef', 4), 'abc…')
})

test('naturalOrder() compares numbers by value', () => {
  assert.deepEqual(['web10', 'web2', 'a', 'web02'].toSorted(naturalOrder), ['a', 'web2', 'web02', 'web10'])
})

test('times are printed as in Go', () => {
  const time = new Date('2026-01-02T03:04:05Z')
  assert.equal(ansiTime(time), 'Fri Jan  2 03:04:05 2026')
  assert.equal(goTimeString(time, { utc: true, fraction: '.5' }), '2026-01-02 03:04:05.5 +0000 UTC')
})
