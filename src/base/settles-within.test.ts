import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settlesWithin } from './settles-within.ts'

test('settlesWithin() gives true in time, false after it, and rejects with a failure', async () => {
  assert.equal(await settlesWithin(Promise.resolve(), 60_000), true)
  assert.equal(await settlesWithin(new Promise(() => {}), 1), false)
  await assert.rejects(settlesWithin(Promise.reject(new Error('broken')), 60_000), /broken/)
})
