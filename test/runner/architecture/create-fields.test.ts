import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFields, fieldTests, formatFields, readPage, withFields } from './create-fields.ts'

const tests = fieldTests()

test('createFields: every field has a test that names it', () => {
  const named = new Set(tests.map(({ field }) => field))
  const all = Object.entries(createFields).flatMap(([owner, names]) => names.map((name) => `${owner}.${name}`))
  assert.deepEqual(
    all.filter((field) => !named.has(field)),
    [],
  )
})

test('fieldTests: no title names an unknown field', () => {
  assert.deepEqual(
    tests
      .map(({ field }) => field.split('.'))
      .filter(([owner = '', name = '']) => createFields[owner]?.includes(name) !== true),
    [],
  )
})

test('formatFields: docs/api-coverage.md is up to date (bin/node test/runner/architecture/create-fields.ts)', () => {
  const page = readPage()
  assert.equal(page, withFields(page, formatFields(tests)))
})
