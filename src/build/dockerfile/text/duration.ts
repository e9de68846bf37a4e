/** Go's durations (`1h30m`, `1.5s`), for the flags of HEALTHCHECK. */

const unitNs: Readonly<Record<string, number>> = {
  ...{ ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6 },
  ...{ s: 1e9, m: 60e9, h: 3600e9 },
}

/** Gives nanoseconds, or Go's error message. */
export function parseDuration(text: string): number | string {
  const invalid = `time: invalid duration ${JSON.stringify(text)}`
  const [, sign = '', amounts = ''] = /^([-+]?)([\s\S]*)$/.exec(text) ?? []
  if (amounts === '0') return 0
  if (amounts === '') return invalid
  let totalNs = 0
  let at = 0
  while (at < amounts.length) {
    const [, number = '', unit = ''] = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(amounts.slice(at)) ?? []
    if (number === '') return invalid
    if (unit === '') return `time: missing unit in duration ${JSON.stringify(text)}`
    const factor = Object.hasOwn(unitNs, unit) ? unitNs[unit] : undefined
    if (factor === undefined) return `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`
    totalNs += Number(number) * factor
    at += number.length + unit.length
  }
  if (totalNs > Number.MAX_SAFE_INTEGER * 1000) return invalid
  return Math.trunc(sign === '-' ? -totalNs : totalNs)
}
