import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeFilters, namesMatching } from './filters.ts'

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

test('namesMatching() matches names, parts of names and regular expressions', () => {
  const found = (value: string) => ['web', 'web2', 'a.web', 'a+b', '('].filter(namesMatching([value]))
  assert.deepEqual(found('web'), ['web', 'web2', 'a.web'])
  assert.deepEqual(found('^web$'), ['web'])
  assert.deepEqual(found('^w.*[0-9]$'), ['web2'])
  assert.deepEqual(found('a+b'), ['a+b'])
  assert.deepEqual(found('('), ['('])
  assert.deepEqual(['x', 'y', 'z'].filter(namesMatching(['^x', 'z'])), ['x', 'z'])
})
