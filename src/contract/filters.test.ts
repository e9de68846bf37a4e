import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  booleanFilter,
  checkFilters,
  decodeFilters,
  hasWantedLabels,
  matchesLabel,
  namesMatching,
  parseUntil,
  untilFilter,
} from './filters.ts'

const allowed = new Set(['label', 'name'])

test('decodeFilters() reads both forms', () => {
  assert.deepEqual(decodeFilters('', allowed), {})
  assert.deepEqual(decodeFilters('null', allowed), {})
  assert.deepEqual(decodeFilters('{"label":{"a=b":true,"c":true,"d":false}}', allowed), { label: ['a=b', 'c'] })
  assert.deepEqual(decodeFilters('{"label":["a=b"],"name":[]}', allowed), { label: ['a=b'], name: [] })
})

test('decodeFilters() refuses what Docker refuses', () => {
  assert.throws(() => decodeFilters('{"foo":["a"]}', allowed), {
    kind: 'invalidArgument',
    message: "invalid filter 'foo'",
  })
  for (const text of ['{', '[]', '"a"', '{"label":"a"}', '{"label":[1]}']) {
    assert.throws(() => decodeFilters(text, allowed), { kind: 'invalidArgument' }, text)
  }
})

test('namesMatching() takes names, parts of them and expressions', () => {
  const found = (value: string) => ['web', 'web2', 'a.web', 'a+b', '('].filter(namesMatching([value]))
  assert.deepEqual(found('web'), ['web', 'web2', 'a.web'])
  assert.deepEqual(found('^web$'), ['web'])
  assert.deepEqual(found('^w.*[0-9]$'), ['web2'])
  assert.deepEqual(found('a+b'), ['a+b'])
  assert.deepEqual(found('('), ['('])
  assert.deepEqual(['x', 'y', 'z'].filter(namesMatching(['^x', 'z'])), ['x', 'z'])
})

test('checkFilters() refuses keys that are not allowed', () => {
  assert.throws(() => checkFilters({ x: ['1'] }, ['y']), { kind: 'invalidArgument', message: "invalid filter 'x'" })
  checkFilters({ y: [] }, ['y'])
})

test('booleanFilter() reads true and false as Docker does', () => {
  assert.equal(booleanFilter({ dangling: ['1'] }, 'dangling'), true)
  assert.equal(booleanFilter({ dangling: ['true', '1'] }, 'dangling'), true)
  assert.equal(booleanFilter({ dangling: ['false'] }, 'dangling'), false)
  assert.equal(booleanFilter({ dangling: [] }, 'dangling'), undefined)
  assert.equal(booleanFilter({}, 'dangling'), undefined)
  for (const values of [['x'], ['T'], ['true', 'false'], ['']]) {
    const message = `invalid filter 'dangling=[${values.join(' ')}]'`
    assert.throws(() => booleanFilter({ dangling: values }, 'dangling'), { kind: 'invalidArgument', message })
  }
})

test('matchesLabel() compares a key, or a key and its value', () => {
  const labels = { a: '1', b: '', 'c=d': 'e' }
  for (const pattern of ['a', 'a=1', 'b', 'b=']) assert.ok(matchesLabel(labels, pattern), pattern)
  for (const pattern of ['a=', 'a=2', 'x', 'x=', 'toString']) assert.ok(!matchesLabel(labels, pattern), pattern)
})

test('hasWantedLabels() asks for all labels and refuses unwanted ones', () => {
  assert.ok(hasWantedLabels({ a: '1', b: '2' }, { label: ['a', 'b=2'] }))
  assert.ok(!hasWantedLabels({ a: '1' }, { label: ['a', 'b'] }))
  assert.ok(!hasWantedLabels({ a: '1', b: '2' }, { label: ['a'], 'label!': ['b'] }))
  assert.ok(hasWantedLabels({}, { 'label!': ['b'] }))
})

test('untilFilter() takes one value', () => {
  assert.equal(untilFilter({}, 5n), undefined)
  assert.equal(untilFilter({ until: ['1700000000'] }, 5n), 1_700_000_000_000_000_000n)
  assert.throws(() => untilFilter({ until: ['1h', '2h'] }, 5n), {
    kind: 'invalidArgument',
    message: 'more than one until filter specified',
  })
})

test('parseUntil() reads durations, seconds and dates', () => {
  const now = 1_000_000_000_000_000_000n
  assert.equal(parseUntil('10m', now), now - 600_000_000_000n)
  assert.equal(parseUntil('1h30m', now), now - 5_400_000_000_000n)
  assert.equal(parseUntil('1700000000', now), 1_700_000_000_000_000_000n)
  assert.equal(parseUntil('1970-01-02', now), 86_400_000_000_000n)
  assert.equal(parseUntil('1970-01-01T00:00:01', now), 1_000_000_000n)
  assert.throws(() => parseUntil('soon', now), { kind: 'invalidArgument' })
})
