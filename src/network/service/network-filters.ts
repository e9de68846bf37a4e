/** Filters of network lists and of prune. Pure. */
import type { Filters } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import { matchesLabel, namesMatching, parseBoolean } from '../../contract/index.ts'
import type { NetworkRecord } from '../record/network-record.ts'

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
      return values.every((value) => matchesLabel(record.labels, value))
    case 'label!':
      return !values.some((value) => matchesLabel(record.labels, value))
    default:
      throw invalidArgument(`invalid filter '${key}'`)
  }
}

function hasType(record: NetworkRecord, type: string): boolean {
  if (type !== 'custom' && type !== 'builtin') throw invalidArgument(`invalid filter: 'type'='${type}'`)
  return isPredefined(record) === (type === 'builtin')
}

function flagOf(value: string): boolean {
  const flag = parseBoolean(value)
  if (flag !== undefined) return flag
  throw invalidArgument('invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")')
}
