import assert from 'node:assert/strict'
import { test } from 'node:test'
import { namePattern, randomName } from './names.ts'

test('randomName() gives valid names that are free, with digits after ten tries', () => {
  const tried: string[] = []
  const name = randomName((one) => tried.push(one) < 12)
  assert.match(name, /^[a-z]+_[a-z]+\d+$/)
  for (const one of tried) assert.match(one, namePattern)
  for (const one of tried.slice(0, 10)) assert.match(one, /^[a-z]+_[a-z]+$/)
})

test('namePattern is Docker’s rule', () => {
  for (const name of ['ab', 'a.b-c_d', '0x']) assert.match(name, namePattern)
  for (const name of ['', 'a', '-ab', '.ab', 'a/b', 'a b']) assert.doesNotMatch(name, namePattern)
})
