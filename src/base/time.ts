/** Wall-clock times with nanoseconds, as log lines and events carry them. */

const startWallNs = BigInt(Date.now()) * 1_000_000n
const startHrNs = process.hrtime.bigint()

/** Nanoseconds since the epoch. Follows the wall clock to the millisecond; the digits below keep the
 *  order of calls made within one process. */
export function nowNs(): bigint {
  const wall = BigInt(Date.now()) * 1_000_000n
  const steady = startWallNs + (process.hrtime.bigint() - startHrNs)
  const drift = steady - wall
  return drift > -50_000_000n && drift < 50_000_000n ? steady : wall
}

/** RFC 3339 in UTC with nanoseconds, trailing zeros dropped as Go's RFC3339Nano does. */
export function formatNs(ns: bigint): string {
  const seconds = ns / 1_000_000_000n
  const base = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  return fraction === '' ? `${base}Z` : `${base}.${fraction}Z`
}

/** Nanoseconds since the epoch of an RFC 3339 time with any number of fraction digits.
 *  Undefined when the text is no such time. */
export function parseNs(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/.exec(text)
  if (match === null) return undefined
  const [, date, time, fraction = '', zone = 'Z'] = match
  const ms = Date.parse(`${date}T${time}${zone.toUpperCase()}`)
  if (Number.isNaN(ms)) return undefined
  return BigInt(ms) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
}

/** Docker's time for "never". */
export const zeroTime = '0001-01-01T00:00:00Z'
