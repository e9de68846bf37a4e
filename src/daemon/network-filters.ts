/** Filters of network lists and of prune. Pure. */
import { invalidArgument } from '../base/index.ts'
import { namesMatching } from '../http/index.ts'
import type { NetworkRecord } from '../network/index.ts'

type Filters = Readonly<Record<string, readonly string[]>>

const predefined: ReadonlySet<string> = new Set(['bridge', 'host', 'none'])

/** True for the networks that every daemon has. */
export function isPredefined({ name }: NetworkRecord): boolean {
  return predefined.has(name)
}

/** True when the network fits all filters, of each of which one value is enough (of labels all). `isUsed`: a container
 *  runs on it. Throws `invalidArgument` for a value that means nothing. */
export function matchesFilters(record: NetworkRecord, filters: Filters, isUsed: boolean): boolean {
  return Object.entries(filters).every(([key, values]) => values.length === 0 || matches(record, key, values, isUsed))
}

function matches(record: NetworkRecord, key: string, values: readonly string[], isUsed: boolean): boolean {
  switch (key) {
    case 'id':
      return namesMatching(values)(record.id)
    case 'name':
      return namesMatching(values)(record.name)
    case 'driver':
      return values.includes(record.driver)
    case 'type':
      return values.some((value) => hasType(record, value))
    case 'scope':
      return values.includes('local')
    case 'dangling':
      return values.some((value) => flagOf(value) === (!isUsed && !isPredefined(record)))
    case 'label':
      return values.every((value) => hasLabel(record, value))
    case 'label!':
      return !values.some((value) => hasLabel(record, value))
    default:
      throw invalidArgument(`invalid filter '${key}'`)
  }
}

function hasType(record: NetworkRecord, type: string): boolean {
  if (type !== 'custom' && type !== 'builtin') throw invalidArgument(`invalid filter: 'type'='${type}'`)
  return isPredefined(record) === (type === 'builtin')
}

function flagOf(value: string): boolean {
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw invalidArgument('invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")')
}

function hasLabel({ labels }: NetworkRecord, text: string): boolean {
  const at = text.indexOf('=')
  return at < 0 ? text in labels : labels[text.slice(0, at)] === text.slice(at + 1)
}
