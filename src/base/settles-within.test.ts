import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settlesWithin } from './settles-within.ts'

test('settlesWithin() tells an event in time from one that is not, and passes a failure on', async () => {
  assert.equal(await settlesWithin(Promise.resolve(), 60_000), true)
  assert.equal(await settlesWithin(new Promise(() => {}), 1), false)
  await assert.rejects(settlesWithin(Promise.reject(new Error('broken')), 60_000), /broken/)
})
