import { invalidArgument } from '../../base/index.ts'

/** The decoded `filters` parameter: key → values, any of which may match. */
export type DecodedFilters = Readonly<Record<string, readonly string[]>>

const noFilters: DecodedFilters = Object.freeze({})

/** Decodes the `filters` parameter of lists: `{"label": {"a=b": true}}`, or `{"label": ["a=b"]}` as older clients
 *  and SDKs write it. If `allowed` is given, throws `invalidArgument` for other keys, as Docker does. */
export function decodeFilters(text: string, allowed?: ReadonlySet<string>): DecodedFilters {
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
    // `false` means "not asked for": some clients keep a value that the user switched off.
    return Object.keys(value).filter((key) => (value as Record<string, unknown>)[key] !== false)
  }
  throw invalidArgument(`invalid filter: ${text}`)
}

/** Makes a test for the names that a filter's values mean. Each value is a name or, as in Docker, a regular expression
 *  that is searched for in the name (`name=^web$`). A text that is not a valid expression is a name. */
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
