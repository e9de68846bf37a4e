import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Logger, nullLogger } from '../base/index.ts'
import { BootProgress } from './boot-progress.ts'

test('BootProgress logs slow steps while they run and when they end, and no others', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const told: unknown[] = []
  const logger = { ...nullLogger, info: (message: string, fields: unknown) => told.push([message, fields]) }
  {
    using boot = new BootProgress(logger as unknown as Logger)
    boot.step('quick')
    now = 1000
    boot.step('slow')
    now = 7000
    t.mock.timers.tick(6000)
    boot.step('last')
  }
  assert.deepEqual(told, [
    ['still starting', { step: 'slow', seconds: 6 }],
    ['a step of the start took long', { step: 'slow', ms: 6000 }],
  ])
})
