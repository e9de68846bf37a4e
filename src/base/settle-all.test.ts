import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settleAll } from './settle-all.ts'

test('settleAll() waits for all promises, and rejects with all failures', async () => {
  const { promise: last, reject } = Promise.withResolvers<void>()
  const first = new Error('busy')
  const all = settleAll('not stopped', [Promise.reject(first), Promise.resolve(), last])
  const second = new Error('gone')
  setImmediate(reject, second)
  await assert.rejects(all, (error) => {
    assert.ok(error instanceof AggregateError)
    assert.deepEqual([error.message, error.errors], ['not stopped: busy; gone', [first, second]])
    return true
  })
  await settleAll('not stopped', [Promise.resolve(), Promise.resolve()])
})
