/** Times as users write them for `--since` and `--until`. */
import { invalidArgument } from '../../base/index.ts'
import { parseDurationNs } from './units.ts'

const form = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d))?(?::(\d\d))?(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?)?$/

/** Turns a date, a time with or without zone, Unix seconds, or a duration before `now` into `seconds.nanoseconds`. */
export function parseTimestamp(text: string, now: Date): string {
  if (/^\d+(\.\d+)?$/.test(text)) return text
  const match = form.exec(text)
  if (match !== null) return fromMatch(match)
  let ns: number
  try {
    ns = parseDurationNs(text)
  } catch (error) {
    throw invalidArgument(`failed to parse value as time or duration: "${text}"`, { cause: error })
  }
  const time = BigInt(now.getTime()) * 1_000_000n - BigInt(ns)
  return `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`
}

function fromMatch([, date = '', hour = '00', minute = '00', second = '00', fraction = '', zone]: readonly (
  | string
  | undefined
)[]): string {
  // A time without a zone is in the user's zone.
  const ms = Date.parse(`${date}T${hour}:${minute}:${second}${zone ?? ''}`)
  return `${Math.floor(ms / 1000)}.${fraction.padEnd(9, '0')}`
}
