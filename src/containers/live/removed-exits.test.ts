import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RemovedExits } from './removed-exits.ts'

test('RemovedExits finds an exit code by id, name and unique prefix, for a minute', () => {
  let now = 0
  const exits = new RemovedExits(() => now)
  exits.remember({ id: 'abc1', name: 'web', exitCode: 1 })
  now = 30_000
  exits.remember({ id: 'abc2', name: 'web', exitCode: 2 })
  const found = ['abc1', 'abc2', 'web', '/web', 'abc', 'abc1f', 'we', ''].map((text) => exits.find(text))
  assert.deepEqual(found, [1, 2, 2, 2, undefined, undefined, undefined, undefined])
  now = 59_999
  assert.equal(exits.find('abc1'), 1)
  now = 60_000
  assert.deepEqual([exits.find('abc1'), exits.find('abc')], [undefined, 2])
})

test('RemovedExits keeps a bounded number of exit codes', () => {
  const exits = new RemovedExits(() => 0)
  for (let count = 0; count < 1500; count += 1) exits.remember({ id: `i${count}`, name: `n${count}`, exitCode: 3 })
  assert.deepEqual([exits.find('i499'), exits.find('i500'), exits.find('n1499')], [undefined, 3, 3])
})
