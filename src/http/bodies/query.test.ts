import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Query } from './query.ts'

test('Query.flag() reads booleans as Docker does', () => {
  for (const text of ['', '0', 'no', 'false', 'none', 'False', ' NO ']) {
    assert.equal(new Query(`x=${encodeURIComponent(text)}`).flag('x'), false, text)
  }
  for (const text of ['1', 'true', 'yes', 'whatever', '2']) assert.equal(new Query(`x=${text}`).flag('x'), true, text)
  assert.equal(new Query('').flag('x'), false)
  assert.equal(new Query('x').flag('x'), false)
  assert.equal(new Query('').flagOr('x', true), true)
  assert.equal(new Query('x=0').flagOr('x', true), false)
})

test('Query.integer() refuses other texts in Go’s words', () => {
  assert.equal(new Query('t=-1').integer('t'), -1)
  assert.equal(new Query('t=').integer('t'), undefined)
  assert.throws(() => new Query('t=5s').integer('t'), {
    kind: 'invalidArgument',
    message: 'strconv.Atoi: parsing "5s": invalid syntax',
  })
  assert.throws(() => new Query('t=99999999999999999999').integer('t'), /value out of range/)
})

test('Query.all() gives all values of a repeated key', () => {
  assert.deepEqual(new Query('a=1&a=2').all('a'), ['1', '2'])
  assert.equal(new Query('a=1&a=2').text('a'), '1')
  assert.equal(new Query('a=').optional('a'), undefined)
})
