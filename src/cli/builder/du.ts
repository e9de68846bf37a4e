import type { BuildCacheRecord } from '../../api/index.ts'
import type { Command } from '../command/command.ts'
import { formatTable } from '../format/table.ts'
import { humanSize, timeAgo } from '../format/units.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [
    { name: 'filter', type: 'filter', help: 'Filter (e.g. "type=regular")' },
    { name: 'verbose', type: 'bool', help: 'Show all details of each record' },
  ],
  async run({ client, output, now }, flags) {
    const { BuildCache: all } = await client.system.diskUsage()
    const records = (all ?? []).filter((record) => meets(record, flags.filters()))
    const rows = records.map((record) => [
      `${record.ID}${record.InUse ? '*' : ''}`,
      String(!record.InUse),
      humanSize(record.Size, 4),
      record.LastUsedAt === null ? '' : timeAgo(new Date(record.LastUsedAt), now()),
    ])
    if (flags.bool('verbose')) output.write(records.map(describe).join('\n'))
    else output.write(formatTable([['ID', 'RECLAIMABLE', 'SIZE', 'LAST ACCESSED'], ...rows]))
    const total = (list: readonly BuildCacheRecord[]) =>
      humanSize(
        list.reduce((sum, { Size }) => sum + Size, 0),
        4,
      )
    const sums = [
      ...(records.some(({ Shared }) => Shared) ? [['Shared:', total(records.filter(({ Shared }) => Shared))]] : []),
      ['Reclaimable:', total(records.filter(({ InUse }) => !InUse))],
      ['Total:', total(records)],
    ]
    output.write(`${flags.bool('verbose') && records.length > 0 ? '\n' : ''}${formatTable(sums)}`)
    return 0
  },
}

function describe(record: BuildCacheRecord): string {
  const rows = [
    ['ID:', record.ID],
    ...(record.Parents ?? []).map((parent) => ['Parent:', parent]),
    ['Created at:', record.CreatedAt],
    ['Reclaimable:', String(!record.InUse)],
    ['Shared:', String(record.Shared)],
    ['Size:', humanSize(record.Size, 4)],
    ['Description:', record.Description],
    ['Usage count:', String(record.UsageCount)],
    ...(record.LastUsedAt === null ? [] : [['Last used:', record.LastUsedAt]]),
    ['Type:', record.Type],
  ]
  return formatTable(rows)
}

const fields: Readonly<Record<string, (record: BuildCacheRecord) => string>> = {
  id: ({ ID }) => ID,
  type: ({ Type }) => Type,
  description: ({ Description }) => Description,
  inuse: ({ InUse }) => String(InUse),
  shared: ({ Shared }) => String(Shared),
  private: ({ Shared }) => String(!Shared),
}

/** True when the record matches every filter: one of the filter's values each. */
function meets(record: BuildCacheRecord, filters: Readonly<Record<string, readonly string[]>>): boolean {
  return Object.entries(filters).every(([name, values]) => {
    if (name === 'parent') return values.some((value) => record.Parents?.includes(value) === true)
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (field === undefined) throw new Error(`invalid filter '${name}'`)
    return values.some((value) => field(record) === (value === '' ? 'true' : value))
  })
}
