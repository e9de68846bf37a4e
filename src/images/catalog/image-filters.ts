/** Filters of `GET /images/json` and `POST /images/prune`. */
import { invalidArgument, parseNs } from '../../base/index.ts'
import { familiarName, familiarReference, type Reference } from '../../oci/index.ts'

/** Decoded `filters`: key → values. */
export type Filters = Readonly<Record<string, readonly string[]>>

/** Throws `invalidArgument` for a key that is not allowed. */
export function checkFilters(filters: Filters, allowed: readonly string[]): void {
  const unknown = Object.keys(filters).find((key) => !allowed.includes(key))
  if (unknown !== undefined) throw invalidArgument(`invalid filter '${unknown}'`)
}

/** The value of a yes-or-no filter; undefined when it is not given. */
export function booleanFilter(filters: Filters, key: string): boolean | undefined {
  const values = filters[key] ?? []
  if (values.length === 0) return undefined
  const truths = new Set(values.map((value) => truthOf(value)))
  const [truth] = truths
  if (truths.size !== 1 || truth === undefined) {
    throw invalidArgument(`invalid filter '${key}=[${values.join(' ')}]'`)
  }
  return truth
}

/** True when all `key` or `key=value` patterns hold. */
export function matchesLabels(labels: Readonly<Record<string, string>>, patterns: readonly string[]): boolean {
  return patterns.every((pattern) => {
    const equals = pattern.indexOf('=')
    if (equals === -1) return Object.hasOwn(labels, pattern)
    return labels[pattern.slice(0, equals)] === pattern.slice(equals + 1)
  })
}

/** True when one of the glob patterns names this reference, by its short form or its bare name. */
export function matchesReference(reference: Reference, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const glob = globPattern(pattern)
    return glob.test(familiarReference(reference)) || glob.test(familiarName(reference))
  })
}

/** Nanoseconds since the epoch of `until`: a Go duration before now, Unix seconds, or a date. */
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

/** Go's path.Match: `*` and `?` stop at slashes. */
function globPattern(glob: string): RegExp {
  let source = ''
  for (let at = 0; at < glob.length; at += 1) {
    const char = glob[at] ?? ''
    const close = char === '[' ? glob.indexOf(']', at + 1) : -1
    if (char === '[' && close === -1) throw invalidArgument('syntax error in pattern')
    if (char === '*') source += '[^/]*'
    else if (char === '?') source += '[^/]'
    else if (close !== -1) {
      source += `[${glob.slice(at + 1, close).replace(/[\\\]]/g, '\\$&')}]`
      at = close
    } else if (char === '\\' && at + 1 < glob.length) {
      at += 1
      source += escapeRegex(glob[at] ?? '')
    } else source += escapeRegex(char)
  }
  try {
    return new RegExp(`^${source}$`)
  } catch (cause) {
    throw invalidArgument('syntax error in pattern', { cause })
  }
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}

function truthOf(value: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false
  return undefined
}
