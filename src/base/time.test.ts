import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatNs, nowNs, parseNs, wallClock } from './time.ts'

const ms = 1_000_000n
const epochMs = 1_700_000_000_000

/** Two clocks that a test sets. */
class FakeHost {
  wall = epochMs
  steady = 5_000n * ms

  readonly now = wallClock({ wallMs: () => this.wall, steadyNs: () => this.steady })

  /** Moves both clocks forward. */
  pass(durationMs: number): void {
    this.wall += durationMs
    this.steady += BigInt(durationMs) * ms
  }
}

test('wallClock() counts nanoseconds between two milliseconds of the wall clock', () => {
  const host = new FakeHost()
  const first = host.now()
  host.steady += 1n
  assert.equal(first, BigInt(epochMs) * ms)
  assert.equal(host.now(), first + 1n)
})

for (const [what, jumpMs] of [
  ['after the host slept', 3_600_000],
  ['after the clock was set forward', 80],
  ['after the clock was set back', -3_600_000],
] as const) {
  test(`wallClock() counts nanoseconds again ${what}`, () => {
    const host = new FakeHost()
    host.wall += jumpMs
    const wallNs = BigInt(host.wall) * ms
    const first = host.now()
    assert.equal(first, wallNs)
    host.steady += 1n
    assert.equal(host.now(), first + 1n)
    host.pass(10)
    assert.equal(host.now(), first + 1n + 10n * ms)
  })
}

test('wallClock() keeps the order of calls when the process is suspended between its readings', () => {
  let wall = epochMs
  let steady = 0n
  let heldMs = 0
  const now = wallClock({
    wallMs: () => wall,
    steadyNs: () => {
      wall += heldMs
      steady += BigInt(heldMs) * ms
      return steady
    },
  })
  steady += ms / 2n
  const first = now()
  heldMs = 200
  assert.equal(now(), first + 200n * ms)
})

test('nowNs() is the present time, and never goes back', () => {
  const times = Array.from({ length: 1000 }, nowNs)
  assert.ok(times.every((time, at) => at === 0 || time >= (times[at - 1] ?? 0n)))
  assert.ok(Math.abs(Number((times[0] ?? 0n) / ms) - Date.now()) < 60_000)
})

test('formatNs() drops trailing zeros, and parseNs() reads its output', () => {
  const whole = 1_700_000_000n * 1000n * ms
  assert.equal(formatNs(whole), '2023-11-14T22:13:20Z')
  assert.equal(formatNs(whole + 120n * ms), '2023-11-14T22:13:20.12Z')
  for (const ns of [whole, whole + 1n, whole + 120n * ms]) assert.equal(parseNs(formatNs(ns)), ns)
  assert.equal(parseNs('2023-11-14T23:13:20.12+01:00'), whole + 120n * ms)
  assert.equal(parseNs('yesterday'), undefined)
})
