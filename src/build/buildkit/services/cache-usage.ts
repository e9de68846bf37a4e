/** The build cache in the form of BuildKit's protocol. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { BuildCacheRecord } from '../../../api/index.ts'
import { invalidArgument, parseNs } from '../../../base/index.ts'
import type { BuildPruneOptions } from '../../../contract/index.ts'
import type { PruneRequest, UsageRecordSchema } from '../gen/control_pb.ts'
import { timestampOf } from '../progress/build-progress.ts'

/** A cache record as a protocol message. */
export function toUsageRecord(record: BuildCacheRecord): MessageInitShape<typeof UsageRecordSchema> {
  const { ID, Parents, Type, Description, InUse, Shared, Size, CreatedAt, LastUsedAt, UsageCount } = record
  return {
    id: ID,
    // Only cache mounts change after they were made.
    mutable: Type === 'exec.cachemount',
    inUse: InUse,
    size: BigInt(Size),
    createdAt: timestampOf(parseNs(CreatedAt) ?? 0n),
    ...(LastUsedAt === undefined || LastUsedAt === null ? {} : { lastUsedAt: timestampOf(parseNs(LastUsedAt) ?? 0n) }),
    usageCount: BigInt(UsageCount),
    description: Description,
    recordType: Type,
    shared: Shared,
    parents: [...(Parents ?? [])],
  }
}

/** Translates a `Control.Prune` request. `records` are all cache records. Undefined when the request's filters match
 *  none of them. */
export function toPruneOptions(
  request: PruneRequest,
  records: readonly BuildCacheRecord[],
): BuildPruneOptions | undefined {
  const { all, filter, keepDuration, reservedSpace, maxUsedSpace, minFreeSpace } = request
  const ids = records.filter((record) => matchesFilters(record, filter)).map(({ ID }) => ID)
  if (ids.length === 0) return undefined
  const filters: Record<string, string[]> = filter.length === 0 ? {} : { id: ids }
  if (keepDuration > 0n) filters.until = [`${keepDuration / 1_000_000_000n}s`]
  const bytes = (value: bigint) => (value > 0n ? Number(value) : undefined)
  return {
    all,
    filters,
    reservedBytes: bytes(reservedSpace),
    maxUsedBytes: bytes(maxUsedSpace),
    minFreeBytes: bytes(minFreeSpace),
  }
}

/** True when at least one of the filters matches the record, or there are no filters. */
export function matchesFilters(record: BuildCacheRecord, filters: readonly string[]): boolean {
  const values: Readonly<Record<string, readonly string[]>> = {
    id: [record.ID],
    parent: record.Parents ?? [],
    parents: record.Parents ?? [],
    type: [record.Type],
    description: [record.Description],
    inuse: [String(record.InUse)],
    mutable: [String(record.Type === 'exec.cachemount')],
    immutable: [String(record.Type !== 'exec.cachemount')],
    shared: [String(record.Shared)],
    private: [String(!record.Shared)],
  }
  const matches = (text: string) =>
    parseFilter(text).every(({ name, operator, value }) => {
      const own = values[name]
      if (own === undefined) throw invalidArgument(`invalid filter ${name}`)
      if (operator === '~=') return own.some((one) => patternOf(value).test(one))
      return own.includes(value) === (operator === '==')
    })
  return filters.length === 0 || filters.some(matches)
}

/** Parses a filter in containerd's language: `type==regular,id~=abc`. A bare name stands for `name==true`. */
function parseFilter(text: string) {
  if (text === '') return []
  return text.split(',').map((part) => {
    const [, name = '', operator = '==', quoted = 'true'] = /^([\w-]+)(?:(==|!=|~=)(.*))?$/s.exec(part) ?? []
    if (name === '' || /^[=~!]/.test(quoted)) throw invalidArgument(`invalid filter ${JSON.stringify(text)}`)
    return { name, operator, value: quoted.replace(/^(["/|])(.*)\1$/s, '$2') }
  })
}

/** The value of `~=` is a regular expression. */
function patternOf(value: string): RegExp {
  try {
    return new RegExp(value)
  } catch (cause) {
    throw invalidArgument(`invalid pattern ${JSON.stringify(value)} in a filter`, { cause })
  }
}
