/** Wall-clock times in nanoseconds, as log lines and events carry them. */

const nsPerMs = 1_000_000n

/** How far a time may differ from the wall clock. */
const toleranceNs = 50n * nsPerMs

/** The two clocks that a time is computed from. */
export interface ClockSource {
  /** Milliseconds since the epoch, as the host's wall clock shows them. */
  readonly wallMs: () => number
  /** Nanoseconds of a clock that never goes back. It may stop while the host sleeps. */
  readonly steadyNs: () => bigint
}

/** Makes a function that gives nanoseconds since the epoch. The wall clock counts milliseconds only, so the steady
 *  clock counts on from a point at which both were read: two calls within one millisecond are still in order. If the
 *  result differs from the wall clock by more than 50 ms (the clock was set, or the host slept), both are read
 *  again. */
export function wallClock({ wallMs, steadyNs }: ClockSource): () => bigint {
  const wallNs = (): bigint => BigInt(wallMs()) * nsPerMs
  let offsetNs = wallNs() - steadyNs()
  return () => {
    // The kernel may suspend the process between two readings, so the time only has to lie between them.
    const earliest = wallNs() - toleranceNs
    const time = steadyNs() + offsetNs
    const latest = wallNs() + toleranceNs
    if (time > earliest && time < latest) return time
    const steady = steadyNs()
    offsetNs = wallNs() - steady
    return steady + offsetNs
  }
}

/** Nanoseconds since the epoch, within 50 ms of the wall clock. Calls of one process are in order, unless the wall
 *  clock is set back. */
export const nowNs: () => bigint = wallClock({ wallMs: Date.now, steadyNs: process.hrtime.bigint })

/** RFC 3339 in UTC with up to nine fraction digits; trailing zeros are dropped, as in Go's RFC3339Nano. */
export function formatNs(ns: bigint): string {
  const seconds = ns / 1_000_000_000n
  const base = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  return fraction === '' ? `${base}Z` : `${base}.${fraction}Z`
}

/** Parses an RFC 3339 time into nanoseconds since the epoch. Fraction digits after the ninth are ignored.
 *  Undefined when the text is not such a time. */
export function parseNs(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/.exec(text)
  if (match === null) return undefined
  const [, date, time, fraction = '', zone = 'Z'] = match
  const ms = Date.parse(`${date}T${time}${zone.toUpperCase()}`)
  if (Number.isNaN(ms)) return undefined
  return BigInt(ms) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
}

/** The time that Docker shows for "never". */
export const zeroTime = '0001-01-01T00:00:00Z'
