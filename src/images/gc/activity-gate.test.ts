import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ActivityGate } from './activity-gate.ts'

test('ActivityGate runs makers beside a collection, but collections one after the other', async () => {
  const gate = new ActivityGate()
  const log: string[] = []
  const step = (name: string) => {
    const ended = Promise.withResolvers<void>()
    const work = async () => {
      log.push(`+${name}`)
      await ended.promise
      log.push(`-${name}`)
    }
    return { work, end: ended.resolve }
  }
  const [a, b, gc, gc2] = [step('a'), step('b'), step('gc'), step('gc2')]
  assert.equal(gate.oldestStartMs, Number.POSITIVE_INFINITY)
  const before = Date.now()
  const all = Promise.all([gate.make(a.work), gate.make(b.work), gate.collect(gc.work), gate.collect(gc2.work)])
  assert.ok(gate.oldestStartMs > before - 1000 && gate.oldestStartMs <= Date.now())
  await nextTurn()
  assert.deepEqual(log, ['+a', '+b', '+gc'])
  gc.end()
  await nextTurn()
  assert.deepEqual(log.splice(0), ['+a', '+b', '+gc', '-gc', '+gc2'])
  for (const one of [gc2, a, b]) one.end()
  await all
  assert.deepEqual(log, ['-gc2', '-a', '-b'])
  assert.equal(gate.oldestStartMs, Number.POSITIVE_INFINITY)
})
