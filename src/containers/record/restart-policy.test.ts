import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextDelayMs, shouldRestart, shouldStartAtBoot } from './restart-policy.ts'

test('shouldRestart() follows the policy, the exit code and the count', () => {
  const end = { exitCode: 1, stoppedByUser: false, restartCount: 0 }
  assert.equal(shouldRestart({ Name: 'no' }, end), false)
  assert.equal(shouldRestart({}, end), false)
  assert.equal(shouldRestart({ Name: 'always' }, { ...end, exitCode: 0 }), true)
  assert.equal(shouldRestart({ Name: 'always' }, { ...end, stoppedByUser: true }), false)
  assert.equal(shouldRestart({ Name: 'on-failure' }, { ...end, exitCode: 0 }), false)
  assert.equal(shouldRestart({ Name: 'on-failure', MaximumRetryCount: 2 }, { ...end, restartCount: 1 }), true)
  assert.equal(shouldRestart({ Name: 'on-failure', MaximumRetryCount: 2 }, { ...end, restartCount: 2 }), false)
})

test('shouldStartAtBoot() starts always, and unless-stopped unless a user stopped it', () => {
  assert.equal(shouldStartAtBoot({ Name: 'always' }, true, true), true)
  assert.equal(shouldStartAtBoot({ Name: 'unless-stopped' }, true, true), false)
  assert.equal(shouldStartAtBoot({ Name: 'unless-stopped' }, false, true), true)
  assert.equal(shouldStartAtBoot({ Name: 'always' }, false, false), false)
})

test('nextDelayMs() doubles from 100 ms and is 100 ms again after a run of 10 s', () => {
  assert.equal(nextDelayMs(0, 5), 100)
  assert.equal(nextDelayMs(100, 5), 200)
  assert.equal(nextDelayMs(40_000, 5), 60_000)
  assert.equal(nextDelayMs(40_000, 10_000), 100)
})
