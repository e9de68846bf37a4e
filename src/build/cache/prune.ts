/** Chooses the cached steps to remove: the least recently used first, until the limits are met.
 *  https://docs.docker.com/build/cache/garbage-collection/ */
import { invalidArgument, nowNs } from '../../base/index.ts'
import { type BuildPruneOptions, parseUntil } from '../../contract/index.ts'
import type { CacheRecord } from './cache-record.ts'

/** What is known about a record beyond its own fields. */
export interface RecordUse {
  readonly inUse: boolean
  /** The layer also belongs to an image in the store. */
  readonly shared: boolean
  readonly sizeBytes: number
}

/** Gives the records to remove. `freeBytes` is the free space of the file system. */
export function prunable(
  records: readonly CacheRecord[],
  useOf: (record: CacheRecord) => RecordUse,
  options: BuildPruneOptions,
  freeBytes: number,
): readonly CacheRecord[] {
  const matches = compileFilters(options.filters)
  const { reservedBytes = 0, maxUsedBytes, minFreeBytes } = options
  const isBounded = options.reservedBytes !== undefined || maxUsedBytes !== undefined || minFreeBytes !== undefined
  const candidates = records
    .map((record) => ({ record, use: useOf(record) }))
    // Removing a layer that an image also has frees nothing. So with limits set, such records stay.
    .filter(({ record, use }) => !use.inUse && (!use.shared || (options.all && !isBounded)) && matches(record, use))
    .sort((a, b) => a.record.lastUsedMs - b.record.lastUsedMs)
  let used = records.reduce((sum, record) => sum + (useOf(record).shared ? 0 : useOf(record).sizeBytes), 0)
  let free = freeBytes
  const removed: CacheRecord[] = []
  for (const { record, use } of candidates) {
    if (isBounded && isEnough(used, free, { reservedBytes, maxUsedBytes, minFreeBytes })) break
    removed.push(record)
    used -= use.sizeBytes
    free += use.sizeBytes
  }
  return removed
}

interface Bounds {
  readonly reservedBytes: number
  readonly maxUsedBytes: number | undefined
  readonly minFreeBytes: number | undefined
}

/** True when no more has to go. The reserved bytes always stay. Above them, too much used or too little free space
 *  means that more has to go. */
function isEnough(used: number, free: number, { reservedBytes, maxUsedBytes, minFreeBytes }: Bounds): boolean {
  if (used <= reservedBytes) return true
  if (maxUsedBytes === undefined && minFreeBytes === undefined) return false
  const fits = maxUsedBytes === undefined || maxUsedBytes === 0 || used <= maxUsedBytes
  const hasRoom = minFreeBytes === undefined || minFreeBytes === 0 || free >= minFreeBytes
  return fits && hasRoom
}

type Matcher = (record: CacheRecord, use: RecordUse) => boolean

function compileFilters(filters: BuildPruneOptions['filters']): Matcher {
  const matchers = Object.entries(filters).map(([name, values]) => compileFilter(name, values))
  return (record, use) => matchers.every((matches) => matches(record, use))
}

function compileFilter(name: string, values: readonly string[]): Matcher {
  const any = (test: (value: string) => boolean) => values.some(test)
  switch (name) {
    case 'until': {
      const [text = ''] = values
      const limitMs = Number(parseUntil(text, nowNs()) / 1_000_000n)
      return ({ lastUsedMs }) => lastUsedMs < limitMs
    }
    case 'id':
      return ({ key }) => any((value) => key.startsWith(value))
    case 'parent':
      return ({ parent }) => parent !== undefined && any((value) => parent.includes(value))
    case 'type':
      return ({ type }) => any((value) => value === type)
    case 'description':
      return ({ description }) => any((value) => description.includes(value))
    case 'inuse':
      return (_, { inUse }) => any((value) => isTrue(value) === inUse)
    case 'shared':
      return (_, { shared }) => any((value) => isTrue(value) === shared)
    case 'private':
      return (_, { shared }) => any((value) => isTrue(value) !== shared)
    default:
      throw invalidArgument(`invalid filter '${name}'`)
  }
}

function isTrue(text: string): boolean {
  return text === '' || text === 'true' || text === '1'
}
