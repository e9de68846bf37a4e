/** Sizes and durations in the readable forms that Docker prints. */
import { invalidArgument } from '../../base/index.ts'

const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB']
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB']

function scaled(size: number, base: number, units: readonly string[], digits: number): string {
  let value = size
  let unit = 0
  while (value >= base && unit < units.length - 1) {
    value /= base
    unit++
  }
  return `${formatSignificant(value, digits)}${units[unit]}`
}

/** Go's `%.4g`: significant digits without trailing zeros. */
function formatSignificant(value: number, digits: number): string {
  const text = value.toPrecision(digits)
  if (!text.includes('e')) return text.includes('.') ? text.replace(/\.?0+$/, '') : text
  const [mantissa = '', exponent = ''] = text.split('e')
  const sign = exponent.startsWith('-') ? '-' : '+'
  return `${mantissa.replace(/\.?0+$/, '')}e${sign}${exponent.replace(/^[+-]/, '').padStart(2, '0')}`
}

/** A decimal size: `188MB`. The default is three significant digits. */
export function humanSize(sizeBytes: number, digits = 3): string {
  return scaled(sizeBytes, 1000, decimalUnits, digits)
}

/** A binary size with four significant digits: `7.773GiB`. */
export function binarySize(sizeBytes: number): string {
  return scaled(sizeBytes, 1024, binaryUnits, 4)
}

const binaryFactors = 'bkmgtp'

/** Parses `512m`, `1.5g` and `100` into bytes, in powers of 1024. Throws `invalidArgument`. */
export function parseBinarySize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text)
  const value = Number(match?.[1])
  if (match === null) throw invalidArgument(`invalid size: '${text}'`)
  const power = Math.max(0, binaryFactors.indexOf((match[2] ?? '').toLowerCase()))
  return Math.trunc(value * 1024 ** (match[2] === '' ? 0 : power))
}

/** A duration in Docker's words: `2 hours`, `About a minute`. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  if (seconds < 1) return 'Less than a second'
  if (seconds === 1) return '1 second'
  if (seconds < 60) return `${seconds} seconds`
  const minutes = Math.trunc(seconds / 60)
  if (minutes === 1) return 'About a minute'
  if (minutes < 60) return `${minutes} minutes`
  const hours = Math.trunc(ms / 3_600_000 + 0.5)
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`
  return `${Math.trunc(ms / 3_600_000 / 24 / 365)} years`
}

/** A time in the past: `2 hours ago`. */
export function timeAgo(then: Date, now: Date): string {
  return `${humanDuration(now.getTime() - then.getTime())} ago`
}

const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

/** Parses `1h30m` and `500ms` into nanoseconds. Throws `invalidArgument` with Go's text. */
export function parseDurationNs(text: string): number {
  const match = /^([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(text)
  if (text === '0' || text === '+0' || text === '-0') return 0
  if (match === null) {
    const missing = /^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(text) ? 'missing unit in duration' : 'invalid duration'
    throw invalidArgument(`time: ${missing} "${text}"`)
  }
  let total = 0
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(number) * (units[unit ?? ''] ?? 0)
  }
  return (match[1] === '-' ? -1 : 1) * Math.round(total)
}
