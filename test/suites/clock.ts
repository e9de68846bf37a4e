/** The contract of every clock that containers use. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../src/containers/ports/clock.ts'

/** A clock under test, and a function that lets time pass until no timer is left. */
export interface ClockSetup {
  readonly clock: Clock
  pass(): Promise<void>
}

/** Declares the suite's tests for the clocks that `setup` makes. */
export function clockSuite(name: string, setup: () => ClockSetup): void {
  test(`${name}: timers fire once, the shorter one first`, async () => {
    const { clock, pass } = setup()
    const fired: string[] = []
    clock.after(20, () => fired.push('late'))
    clock.after(1, () => fired.push('early'))
    assert.deepEqual(fired, [])
    await pass()
    assert.deepEqual(fired, ['early', 'late'])
  })

  test(`${name}: a canceled timer does not fire, and can be canceled again`, async () => {
    const { clock, pass } = setup()
    const fired: string[] = []
    const cancel = clock.after(1, () => fired.push('canceled'))
    clock.after(5, () => fired.push('other'))
    cancel()
    cancel()
    await pass()
    assert.deepEqual(fired, ['other'])
    cancel()
  })

  test(`${name}: a timer may start another one, and time continues meanwhile`, async () => {
    const { clock, pass } = setup()
    const before = clock.nowNs()
    const times: bigint[] = []
    clock.after(2, () => {
      times.push(clock.nowNs())
      clock.after(2, () => times.push(clock.nowNs()))
    })
    await pass()
    const [first = 0n, second = 0n] = times
    assert.ok(before < first && first < second)
  })
}
