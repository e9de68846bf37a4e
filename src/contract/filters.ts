/** The `filters` parameter of lists, prunes and events: decoding it, and what the values of its keys mean. Every noun
 *  reads its filters with these functions. */
import type { Filters } from '../api/index.ts'
import { invalidArgument, parseNs } from '../base/index.ts'

const noFilters: Filters = Object.freeze({})

/** Decodes the JSON text of a `filters` parameter: `{"label": {"a=b": true}}`, or `{"label": ["a=b"]}` as older clients
 *  and SDKs write it. Empty text means no filters. Throws `invalidArgument` with Docker's texts for another form, and
 *  for a key that is not in `allowed`, if that is given. */
export function decodeFilters(text: string, allowed?: ReadonlySet<string>): Filters {
  if (text === '') return noFilters
  const parsed = parseFilters(text)
  const filters: Record<string, readonly string[]> = {}
  for (const [key, value] of Object.entries(parsed)) {
    if (allowed?.has(key) === false) throw invalidArgument(`invalid filter '${key}'`)
    filters[key] = filterValues(value, text)
  }
  return filters
}

function parseFilters(text: string): object {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw invalidArgument('invalid filter', { cause: error })
  }
  if (parsed === null) return {}
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw invalidArgument('invalid filter')
  return parsed
}

function filterValues(value: unknown, text: string): readonly string[] {
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item === 'string')) return value
  } else if (typeof value === 'object' && value !== null) {
    // `false` means "not asked for": clients that toggle a value leave it in.
    return Object.keys(value).filter((key) => (value as Record<string, unknown>)[key] !== false)
  }
  throw invalidArgument(`invalid filter: ${text}`)
}

/** Throws `invalidArgument` for a key that is not allowed. */
export function checkFilters(filters: Filters, allowed: readonly string[]): void {
  const unknown = Object.keys(filters).find((key) => !allowed.includes(key))
  if (unknown !== undefined) throw invalidArgument(`invalid filter '${unknown}'`)
}

/** Tests whether a name matches one of the values: the value is the name itself, or a regular expression that is found
 *  in the name, as with Docker (`name=^web$`). A value that is no valid expression only matches itself. */
export function namesMatching(values: readonly string[]): (name: string) => boolean {
  const patterns = values.map((value) => {
    try {
      return new RegExp(value)
    } catch {
      return { test: (name: string) => name === value }
    }
  })
  return (name) => values.includes(name) || patterns.some((pattern) => pattern.test(name))
}

/** The value of a filter that is true or false; undefined when it was not given.
 *  Throws `invalidArgument` for other words, and for values that contradict each other. */
export function booleanFilter(filters: Filters, key: string): boolean | undefined {
  const values = filters[key] ?? []
  if (values.length === 0) return undefined
  const truths = new Set(values.map(parseBoolean))
  const [truth] = truths
  if (truths.size !== 1 || truth === undefined) {
    throw invalidArgument(`invalid filter '${key}=[${values.join(' ')}]'`)
  }
  return truth
}

/** One value of such a filter: `true`, `1`, `false` or `0`, as Docker has them; undefined for another word. */
export function parseBoolean(text: string): boolean | undefined {
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  return undefined
}

/** Whether labels have what the filters `label` (all of its values) and `label!` (none of its values) ask for. */
export function hasWantedLabels(labels: Readonly<Record<string, string>>, filters: Filters): boolean {
  if (!(filters.label ?? []).every((pattern) => matchesLabel(labels, pattern))) return false
  return !(filters['label!'] ?? []).some((pattern) => matchesLabel(labels, pattern))
}

/** Whether labels have the key of `key` or the value of `key=value`. */
export function matchesLabel(labels: Readonly<Record<string, string>>, pattern: string): boolean {
  const equals = pattern.indexOf('=')
  if (equals === -1) return Object.hasOwn(labels, pattern)
  return (
    Object.hasOwn(labels, pattern.slice(0, equals)) && labels[pattern.slice(0, equals)] === pattern.slice(equals + 1)
  )
}

/** The time of the filter `until` of a prune, in Unix nanoseconds; undefined when it was not given. `nowNs` is the time
 *  that durations are counted back from. Throws `invalidArgument` for several values, and for a wrong one. */
export function untilFilter(filters: Filters, nowNs: bigint): bigint | undefined {
  const [text, ...more] = filters.until ?? []
  if (more.length > 0) throw invalidArgument('more than one until filter specified')
  return text === undefined ? undefined : parseUntil(text, nowNs)
}

/** A point in time, in Unix nanoseconds: a Go duration before `nowNs`, Unix seconds, or a date. Throws
 *  `invalidArgument` for other text. */
export function parseUntil(text: string, nowNs: bigint): bigint {
  if (/^\d+(\.\d{1,9})?$/.test(text)) {
    const [seconds = '0', fraction = ''] = text.split('.')
    return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))
  }
  const duration = parseDuration(text)
  if (duration !== undefined) return nowNs - duration
  const full = /^\d{4}-\d\d-\d\d$/.test(text)
    ? `${text}T00:00:00Z`
    : /[Zz]$|[+-]\d\d:\d\d$/.test(text)
      ? text
      : `${text}Z`
  const time = parseNs(full)
  if (time === undefined) throw invalidArgument(`failed to parse value as time or duration: "${text}"`)
  return time
}

function parseDuration(text: string): bigint | undefined {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  const units: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 }
  let ns = 0
  for (const [, amount, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    ns += Number(amount) * (units[unit] ?? 0)
  }
  return BigInt(Math.round(ns))
}
