import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Health } from '../../api/index.ts'
import { healthProbe, mergeHealthcheck, nextCheckMs, nextHealth, validateHealthcheck } from './health.ts'

const second = 1_000_000_000
const startedAt = '2026-01-01T00:00:00Z'
const starting: Health = { Status: 'starting', FailingStreak: 0, Log: [] }

function result(ExitCode: number, afterSeconds: number) {
  const time = new Date(Date.parse(startedAt) + afterSeconds * 1000).toISOString()
  return { Start: time, End: time, ExitCode, Output: '' }
}

function probeOf(check: object) {
  const probe = healthProbe({ Healthcheck: { Test: ['CMD', 'true'], ...check } })
  assert.ok(probe)
  return probe
}

test('healthProbe() fills in defaults, and gives no check for NONE, nothing and unknown kinds', () => {
  const { command, intervalMs, timeoutMs, retries } = probeOf({})
  assert.deepEqual(
    { command, intervalMs, timeoutMs, retries },
    {
      command: ['true'],
      intervalMs: 30_000,
      timeoutMs: 30_000,
      retries: 3,
    },
  )
  assert.deepEqual(healthProbe({ Healthcheck: { Test: ['CMD-SHELL', 'a b'] } })?.command, ['/bin/sh', '-c', 'a b'])
  for (const Test of [['NONE'], [], ['MAYBE', 'x']]) assert.equal(healthProbe({ Healthcheck: { Test } }), undefined)
  assert.equal(healthProbe({}), undefined)
})

test('mergeHealthcheck() takes from the image what the user left out', () => {
  const image = { Test: ['CMD', 'a'], Interval: 5 * second, Retries: 2 }
  assert.deepEqual(mergeHealthcheck({ Retries: 9 }, image), { ...image, Retries: 9 })
  assert.deepEqual(mergeHealthcheck({ Test: ['NONE'] }, image)?.Test, ['NONE'])
  assert.deepEqual(mergeHealthcheck(undefined, image), image)
  assert.equal(mergeHealthcheck(undefined, undefined), undefined)
})

test('nextHealth() counts failures after the start period and keeps five results', () => {
  const probe = probeOf({ StartPeriod: 10 * second, Retries: 2 })
  let health = nextHealth(starting, result(1, 9), probe, startedAt)
  assert.deepEqual([health.Status, health.FailingStreak], ['starting', 0])
  health = nextHealth(health, result(1, 11), probe, startedAt)
  assert.deepEqual([health.Status, health.FailingStreak], ['starting', 1])
  health = nextHealth(health, result(-1, 12), probe, startedAt)
  assert.deepEqual([health.Status, health.FailingStreak], ['unhealthy', 2])
  for (let at = 13; at < 18; at += 1) health = nextHealth(health, result(0, at), probe, startedAt)
  assert.deepEqual([health.Status, health.FailingStreak, health.Log?.length], ['healthy', 0, 5])
  // The start period ends with the first healthy result.
  assert.equal(nextHealth(health, result(1, 5), probe, startedAt).FailingStreak, 1)
})

test('nextCheckMs() is the start interval for a starting container within its start period', () => {
  const probe = probeOf({ StartPeriod: 10 * second, StartInterval: second, Interval: 60 * second })
  assert.equal(nextCheckMs(starting, probe, 0), 1000)
  assert.equal(nextCheckMs(starting, probe, 10_000), 60_000)
  assert.equal(nextCheckMs({ ...starting, Status: 'healthy' }, probe, 0), 60_000)
})

test('validateHealthcheck() refuses times below a millisecond and negative retries', () => {
  validateHealthcheck({ Interval: 0, Timeout: 1_000_000 })
  assert.throws(() => validateHealthcheck({ StartInterval: 1 }), /StartInterval in Healthcheck cannot be less than 1ms/)
  assert.throws(() => validateHealthcheck({ Retries: -1 }), /Retries in Healthcheck cannot be negative/)
})
