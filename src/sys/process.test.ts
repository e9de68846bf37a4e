import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isProcessAlive, processName, processStartTime, signalProcess, waitAll, watchPid } from './process.ts'
import { runCommand } from './run-command.ts'
import { spawnProcess } from './spawn.ts'

const absent = 4_194_303

test('watchPid: the end of a process that is not our child', async () => {
  const { stdout } = await runCommand('/bin/sh', ['-c', 'sleep 0.1 & echo $!'])
  const pid = Number(stdout.toString())
  assert.equal(isProcessAlive(pid), true)
  const begun = performance.now()
  await watchPid(pid)
  assert.ok(performance.now() - begun < 2000)
  await watchPid(absent)
})

test('processStartTime: names a process for good', async () => {
  const own = processStartTime(process.pid)
  assert.match(own ?? '', /^\d+$/)
  assert.equal(isProcessAlive(process.pid, own), true)
  assert.equal(isProcessAlive(process.pid, '1'), false)
  assert.equal(processStartTime(absent), undefined)
})

test('signalProcess: true when delivered, false when nobody is there', async () => {
  const child = spawnProcess({ path: 'sleep', args: ['50'] })
  // The new name may show a moment after the child's exec has let us go on.
  await sleep(20)
  assert.equal(processName(child.pid), 'sleep')
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
