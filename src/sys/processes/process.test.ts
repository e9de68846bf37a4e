import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProcessAlive, processStartTime, signalProcess, waitAll } from './process.ts'
import { spawnProcess } from './spawn.ts'

const absent = 4_194_303

test('processStartTime: stays the same for a process, and is undefined after its end', async () => {
  const own = processStartTime(process.pid)
  assert.match(own ?? '', /^\d+$/)
  assert.equal(isProcessAlive(process.pid, own), true)
  assert.equal(isProcessAlive(process.pid, '1'), false)
  assert.equal(processStartTime(absent), undefined)
})

test('signalProcess: true when delivered, false when there is no such process', async () => {
  const child = spawnProcess({ path: 'sleep', args: ['50'] })
  assert.equal(signalProcess(child.pid, 9), true)
  assert.deepEqual(await child.exited, { code: null, signal: 9 })
  assert.equal(signalProcess(absent, 9), false)
  assert.throws(() => signalProcess(process.pid, 1000), { code: 'EINVAL' })
})

test('waitAll: true once all have ended, false at the time limit', async () => {
  const children = [0.02, 0.05].map((seconds) => spawnProcess({ path: 'sleep', args: [String(seconds)] }))
  const pids = children.map(({ pid }) => pid)
  assert.equal(await waitAll([...pids, absent], 5000), true)
  assert.equal(await waitAll([process.pid], 10), false)
})
