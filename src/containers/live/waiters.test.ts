import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Waiters } from './waiters.ts'

test('Waiters.tell() resolves all earlier waits once, and no later ones', async () => {
  const waiters = new Waiters()
  const both = [waiters.wait(), waiters.wait({ signal: new AbortController().signal })]
  waiters.tell({ exitCode: 1 })
  waiters.tell({ exitCode: 2 })
  assert.deepEqual(await Promise.all(both), [{ exitCode: 1 }, { exitCode: 1 }])
  const later = waiters.wait()
  waiters.tell({ exitCode: 3 })
  assert.equal((await later).exitCode, 3)
})

test('Waiters.wait() rejects with the reason of its signal', async () => {
  const waiters = new Waiters()
  const abort = new AbortController()
  const waiting = waiters.wait({ signal: abort.signal })
  abort.abort(new Error('gone'))
  await assert.rejects(waiting, /gone/)
  await assert.rejects(waiters.wait({ signal: abort.signal }), /gone/)
  waiters.tell({ exitCode: 0 })
})
