import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationOption, flagOption, sizeOption } from './option-values.ts'

test('durationOption() parses all forms that Go parses', () => {
  assert.deepEqual(['500ms', '1m30s', '1.5h', '0', '2us'].map(durationOption), [500, 90_000, 5_400_000, 0, 0.002])
  assert.throws(() => durationOption('foo'), { message: 'time: invalid duration "foo"' })
  assert.throws(() => durationOption('5'), { message: 'time: missing unit in duration "5"' })
})

test('flagOption() and sizeOption() throw with Go’s texts', () => {
  assert.deepEqual(['1', 'T', 'true', '0', 'F', 'FALSE'].map(flagOption), [true, true, true, false, false, false])
  assert.throws(() => flagOption('yes'), { message: 'strconv.ParseBool: parsing "yes": invalid syntax' })
  assert.equal(sizeOption('1m'), 1024 ** 2)
  assert.throws(() => sizeOption('-1'), { message: "invalid size: '-1'" })
})
