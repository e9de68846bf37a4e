/** The filter `reference` of `GET /images/json`. */
import { invalidArgument } from '../../base/index.ts'
import { familiarName, familiarReference, type Reference } from '../../oci/index.ts'

/** Decoded `filters`: key → values. */
export type Filters = Readonly<Record<string, readonly string[]>>

/** Throws `invalidArgument` for a key that is not allowed. */
export function checkFilters(filters: Filters, allowed: readonly string[]): void {
  const unknown = Object.keys(filters).find((key) => !allowed.includes(key))
  if (unknown !== undefined) throw invalidArgument(`invalid filter '${unknown}'`)
}

/** The value of a boolean filter; undefined when it is not given. Throws `invalidArgument` for other text. */
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

/** True when labels match all patterns, which are `key` or `key=value`. */
export function matchesLabels(labels: Readonly<Record<string, string>>, patterns: readonly string[]): boolean {
  return patterns.every((pattern) => {
    const equals = pattern.indexOf('=')
    if (equals === -1) return Object.hasOwn(labels, pattern)
    return labels[pattern.slice(0, equals)] === pattern.slice(equals + 1)
  })
}

/** True when one of the glob patterns matches the short form or the bare name of a reference. */
export function matchesReference(reference: Reference, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const glob = globPattern(pattern)
    return glob.test(familiarReference(reference)) || glob.test(familiarName(reference))
  })
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
