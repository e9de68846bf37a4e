import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunState } from '../record/container-record.ts'
import { humanDuration, statusText } from './status-text.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

test('humanDuration() gives a duration in Docker’s words and steps', () => {
  const cases: readonly (readonly [number, string])[] = [
    [999, 'Less than a second'],
    [1000, '1 second'],
    [59_999, '59 seconds'],
    [minute, 'About a minute'],
    [2 * minute, '2 minutes'],
    [hour, 'About an hour'],
    [47 * hour, '47 hours'],
    [2 * day, '2 days'],
    [14 * day, '2 weeks'],
    [60 * day, '2 months'],
    [730 * day, '2 years'],
  ]
  for (const [ms, text] of cases) assert.equal(humanDuration(ms), text)
})

test('statusText() gives status, exit code and age', () => {
  const at = Date.parse('2026-01-01T00:05:00Z')
  const state = { exitCode: 3, startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:04:00Z' }
  const text = (status: RunState['status']) => statusText({ ...state, status } as RunState, at)
  assert.equal(text('created'), 'Created')
  assert.equal(text('running'), 'Up 5 minutes')
  assert.equal(text('paused'), 'Up 5 minutes (Paused)')
  assert.equal(text('exited'), 'Exited (3) About a minute ago')
  assert.equal(text('restarting'), 'Restarting (3) About a minute ago')
  assert.equal(text('dead'), 'Dead')
  const healthy = { Status: 'healthy', FailingStreak: 0, Log: [] } as const
  assert.equal(statusText({ ...state, status: 'running' } as RunState, at, healthy), 'Up 5 minutes (healthy)')
})
