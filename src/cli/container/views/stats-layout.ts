/** The columns of `berth stats`. */
import type { BlkioEntry, ContainerStats } from '../../../api/index.ts'
import { shortId } from '../../../base/index.ts'
import type { ListLayout } from '../../format/list-formatter.ts'
import { binarySize, humanSize } from '../../format/units.ts'

/** A container, by the name that the user gave, and its last statistics. */
export interface StatsRow {
  readonly container: string
  readonly stats: ContainerStats | undefined
}

const columns = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs']

/** The template for a name given to `--format`. */
export function statsFormat(format: string): string {
  return format === '' || format === 'table' ? `table ${columns.map((name) => `{{.${name}}}`).join('\t')}` : format
}

/** The columns, and the values of a container in them. */
export function statsLayout({ truncate }: { readonly truncate: boolean }): ListLayout<StatsRow> {
  const read =
    (show: (stats: ContainerStats) => string, none: string) =>
    ({ stats }: StatsRow): string =>
      stats === undefined ? none : show(stats)
  return {
    typeName: '*container.statsContext',
    headings: {
      Container: 'CONTAINER',
      Name: 'NAME',
      ID: 'CONTAINER ID',
      CPUPerc: 'CPU %',
      MemUsage: 'MEM USAGE / LIMIT',
      MemPerc: 'MEM %',
      NetIO: 'NET I/O',
      BlockIO: 'BLOCK I/O',
      PIDs: 'PIDS',
    },
    fields: {
      BlockIO: read((stats) => pair(blockIo(stats), humanSize), '--'),
      CPUPerc: read((stats) => percent(cpuPercent(stats)), '--'),
      Container: ({ container }) => container,
      ID: ({ stats }) => (truncate ? shortId(stats?.id ?? '') : (stats?.id ?? '')),
      MemPerc: read((stats) => percent(memoryPercent(stats)), '--'),
      MemUsage: read((stats) => pair([memoryUsed(stats), stats.memory_stats.limit ?? 0], binarySize), '-- / --'),
      Name: ({ stats }) => (stats === undefined || stats.name.length < 2 ? '--' : stats.name.slice(1)),
      NetIO: read((stats) => pair(netIo(stats), humanSize), '--'),
      PIDs: read((stats) => String(stats.pids_stats.current ?? 0), '--'),
    },
  }
}

function pair([first, second]: readonly [number, number], show: (size: number) => string): string {
  return `${show(first)} / ${show(second)}`
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`
}

/** The use of processors in percent: 100 for each busy one. */
function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const own = now.cpu_usage.total_usage - before.cpu_usage.total_usage
  const host = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0)
  const processors = now.online_cpus || now.cpu_usage.percpu_usage?.length || 0
  return host > 0 && own > 0 ? (own / host) * processors * 100 : 0
}

/** The memory in use, without the cache of files, which the kernel would free at once. */
function memoryUsed({ memory_stats: { usage = 0, stats = {} } }: ContainerStats): number {
  const inactive = stats.total_inactive_file ?? stats.inactive_file ?? 0
  return inactive < usage ? usage - inactive : usage
}

function memoryPercent(stats: ContainerStats): number {
  const limit = stats.memory_stats.limit ?? 0
  return limit === 0 ? 0 : (memoryUsed(stats) / limit) * 100
}

function netIo({ networks = {} }: ContainerStats): [number, number] {
  const all = Object.values(networks)
  return [all.reduce((sum, one) => sum + one.rx_bytes, 0), all.reduce((sum, one) => sum + one.tx_bytes, 0)]
}

function blockIo({ blkio_stats: { io_service_bytes_recursive: entries } }: ContainerStats): [number, number] {
  const sum = (letter: string): number =>
    (entries ?? [])
      .filter(({ op }: BlkioEntry) => op.toLowerCase().startsWith(letter))
      .reduce((all, { value }) => all + value, 0)
  return [sum('r'), sum('w')]
}
