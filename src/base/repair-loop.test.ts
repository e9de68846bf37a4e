import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { RepairLoop } from './repair-loop.ts'

const pauseMs = 20
const forever = 3_600_000

test('RepairLoop.onDamage() repairs once for all damage during a pause', async () => {
  const second = Promise.withResolvers<void>()
  let repairs = 0
  const repair = async () => {
    repairs += 1
    if (repairs === 2) second.resolve()
  }
  const loop = new RepairLoop({ repair, onFailure: assert.ifError, pauseMs })
  loop.onDamage()
  await sleep(1)
  assert.equal(repairs, 1)
  for (let damage = 0; damage < 3; damage += 1) loop.onDamage()
  await second.promise
  await sleep(5 * pauseMs)
  assert.equal(repairs, 2)
  loop.onDamage()
  await sleep(1)
  assert.equal(repairs, 3)
  await loop.close()
})

test('RepairLoop tries again after a failure, and tells which ones repeat', async () => {
  const done = Promise.withResolvers<void>()
  const failures: boolean[] = []
  const repair = async () => {
    if (failures.length < 2) throw new Error('busy')
    done.resolve()
  }
  const loop = new RepairLoop({ repair, onFailure: (_, isRepeated) => failures.push(isRepeated), pauseMs: 1 })
  loop.onDamage()
  await done.promise
  await loop.close()
  assert.deepEqual(failures, [false, true])
})

test('RepairLoop repairs what a repair itself finds damaged', async () => {
  const done = Promise.withResolvers<void>()
  let repairs = 0
  let active = 0
  const repair = async () => {
    active += 1
    assert.equal(active, 1, 'two repairs at once')
    repairs += 1
    if (repairs === 1) loop.onDamage()
    else done.resolve()
    await sleep(1)
    active -= 1
  }
  const loop: RepairLoop = new RepairLoop({ repair, onFailure: assert.ifError, pauseMs: 1 })
  loop.onDamage()
  await done.promise
  await loop.close()
})

test('RepairLoop.close() waits for a repair, not for the pause, and ends the repairs', async () => {
  let repairs = 0
  const repair = async () => {
    await sleep(1)
    repairs += 1
  }
  const loop = new RepairLoop({ repair, onFailure: assert.ifError, pauseMs: forever })
  loop.onDamage()
  await sleep(0)
  await loop.close()
  await loop.close()
  assert.equal(repairs, 1)
  loop.onDamage()
  await sleep(5)
  assert.equal(repairs, 1)
})
