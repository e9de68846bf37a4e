import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimeSlice } from './time-slice.ts'

test('TimeSlice.isOver is true after its time, and renew() lets other work run', async () => {
  const slice = new TimeSlice(60_000)
  assert.equal(slice.isOver, false)
  const spent = new TimeSlice(-1)
  assert.equal(spent.isOver, true)
  let isOtherDone = false
  setImmediate(() => {
    isOtherDone = true
  })
  await slice.renew()
  assert.equal(isOtherDone, true)
})
