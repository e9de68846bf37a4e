/** The rows and columns of `berth system df`. */
import type { DiskUsage } from '../../api/index.ts'
import type { ListLayout } from '../format/list-formatter.ts'
import { humanSize } from '../format/units.ts'

/** One line: the space that one kind of object takes. */
export interface UsageRow {
  readonly type: string
  readonly count: number
  readonly active: number
  readonly sizeBytes: number
  readonly reclaimableBytes: number
}

/** A line for each kind. */
export function usageRows(usage: DiskUsage): UsageRow[] {
  return [imageRow(usage), containerRow(usage), volumeRow(usage), cacheRow(usage)]
}

function imageRow({ Images, LayersSize: sizeBytes = 0 }: DiskUsage): UsageRow {
  const images = Images ?? []
  const active = images.filter(({ Containers }) => Containers > 0)
  const used = active.reduce((sum, { Size, SharedSize }) => sum + Size - SharedSize, 0)
  return {
    type: 'Images',
    count: images.length,
    active: active.length,
    sizeBytes,
    reclaimableBytes: sizeBytes - used,
  }
}

function containerRow({ Containers: containers }: DiskUsage): UsageRow {
  const live = ['running', 'paused', 'restarting']
  return usageRow(
    'Containers',
    containers ?? [],
    ({ SizeRw = 0 }) => SizeRw,
    ({ State }) => live.includes(State),
  )
}

function volumeRow({ Volumes: volumes }: DiskUsage): UsageRow {
  return usageRow(
    'Local Volumes',
    volumes ?? [],
    ({ UsageData }) => Math.max(0, UsageData?.Size ?? 0),
    ({ UsageData }) => (UsageData?.RefCount ?? 0) > 0,
  )
}

function cacheRow({ BuildCache: records }: DiskUsage): UsageRow {
  return usageRow(
    'Build Cache',
    records ?? [],
    ({ Size, Shared }) => (Shared ? 0 : Size),
    ({ InUse }) => InUse,
  )
}

/** The row for objects with separate sizes. Those that are not active are reclaimable. */
function usageRow<T>(
  type: string,
  things: readonly T[],
  sizeOf: (thing: T) => number,
  isActive: (thing: T) => boolean,
): UsageRow {
  const total = (list: readonly T[]) => list.reduce((sum, thing) => sum + sizeOf(thing), 0)
  const idle = things.filter((thing) => !isActive(thing))
  return {
    type,
    count: things.length,
    active: things.length - idle.length,
    sizeBytes: total(things),
    reclaimableBytes: total(idle),
  }
}

/** The template for a name given to `--format`. */
export function usageFormat(format: string): string {
  if (format === '' || format === 'table') {
    return 'table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}'
  }
  if (format !== 'raw') return format
  return 'type: {{.Type}}\ntotal: {{.TotalCount}}\nactive: {{.Active}}\nsize: {{.Size}}\nreclaimable: {{.Reclaimable}}\n'
}

/** The columns, and the values of a kind of object in them. */
export const usageLayout: ListLayout<UsageRow> = {
  typeName: '*formatter.diskUsageContext',
  headings: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
  fields: {
    Type: ({ type }) => type,
    TotalCount: ({ count }) => String(count),
    Active: ({ active }) => String(active),
    Size: ({ sizeBytes }) => humanSize(sizeBytes, 4),
    Reclaimable: ({ type, sizeBytes, reclaimableBytes }) => {
      const size = humanSize(reclaimableBytes, 4)
      // As in docker, the cache has no percentage.
      if (sizeBytes <= 0 || type === 'Build Cache') return size
      return `${size} (${Math.trunc((reclaimableBytes * 100) / sizeBytes)}%)`
    },
  },
}
