/** Converts the kernel's cgroup files to the API's statistics, with one function each for cgroup v1 and v2. Pure. */
import type { BlkioEntry, BlkioStats, ContainerStats, CpuStats, InterfaceStats } from '../../api/index.ts'
import type { StatsText } from '../../sys/index.ts'

/** What is known about the host at the time of a reading. */
export interface HostFigures {
  readonly cpuNs: number
  readonly processors: number
  readonly memoryBytes: number
}

/** The statistics without names, times and the previous reading. */
export type Figures = Pick<ContainerStats, 'pids_stats' | 'blkio_stats' | 'cpu_stats' | 'memory_stats' | 'networks'>

/** CPU statistics of a container without a process. */
export const noCpu: CpuStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
}

/** Statistics of a container without a process. */
export const noFigures: Figures = {
  pids_stats: {},
  blkio_stats: blkio(null, null, null),
  cpu_stats: noCpu,
  memory_stats: {},
}

const noLimit = Number.POSITIVE_INFINITY

/** Statistics from the files of cgroup v1. */
export function figuresOfV1(text: StatsText, host: HostFigures): Figures {
  const user = fields(text('cpuacct.stat'))
  const throttling = fields(text('cpu.stat'))
  const failures = number(text('memory.failcnt'))
  const tick = 10_000_000
  return {
    pids_stats: pids(text),
    blkio_stats: blkio(
      blkioEntries(text('blkio.throttle.io_service_bytes_recursive')),
      blkioEntries(text('blkio.throttle.io_serviced_recursive')),
      [],
    ),
    cpu_stats: {
      cpu_usage: {
        total_usage: number(text('cpuacct.usage')),
        percpu_usage: (text('cpuacct.usage_percpu') ?? '').trim().split(/\s+/).filter(Boolean).map(Number),
        usage_in_kernelmode: (user.system ?? 0) * tick,
        usage_in_usermode: (user.user ?? 0) * tick,
      },
      system_cpu_usage: host.cpuNs,
      online_cpus: host.processors,
      throttling_data: {
        periods: throttling.nr_periods ?? 0,
        throttled_periods: throttling.nr_throttled ?? 0,
        throttled_time: throttling.throttled_time ?? 0,
      },
    },
    memory_stats: {
      usage: number(text('memory.usage_in_bytes')),
      max_usage: number(text('memory.max_usage_in_bytes')),
      stats: fields(text('memory.stat')),
      ...(failures === 0 ? {} : { failcnt: failures }),
      limit: Math.min(number(text('memory.limit_in_bytes')) || noLimit, host.memoryBytes),
    },
    ...networks(text),
  }
}

/** Statistics from the files of cgroup v2. */
export function figuresOfV2(text: StatsText, host: HostFigures): Figures {
  const cpu = fields(text('cpu.stat'))
  const failures = fields(text('memory.events')).oom ?? 0
  const usec = (name: string): number => (cpu[name] ?? 0) * 1000
  return {
    pids_stats: pids(text),
    blkio_stats: blkio(ioEntries(text('io.stat')), null, null),
    cpu_stats: {
      cpu_usage: {
        total_usage: usec('usage_usec'),
        usage_in_kernelmode: usec('system_usec'),
        usage_in_usermode: usec('user_usec'),
      },
      system_cpu_usage: host.cpuNs,
      online_cpus: host.processors,
      throttling_data: {
        periods: cpu.nr_periods ?? 0,
        throttled_periods: cpu.nr_throttled ?? 0,
        throttled_time: usec('throttled_usec'),
      },
    },
    memory_stats: {
      usage: number(text('memory.current')),
      stats: fields(text('memory.stat')),
      ...(failures === 0 ? {} : { failcnt: failures }),
      limit: Math.min(number(text('memory.max')) || noLimit, host.memoryBytes),
    },
    ...networks(text),
  }
}

function pids(text: StatsText): ContainerStats['pids_stats'] {
  const limit = number(text('pids.max'))
  // Without a limit Docker gives 2^64-1 or omits the field; the former is not a safe JavaScript number.
  return { current: number(text('pids.current')), ...(limit === 0 ? {} : { limit }) }
}

/** Parses a file that holds one number; 0 for `max` and for a missing file. */
function number(text: string | undefined): number {
  const value = Number(text ?? 0)
  return Number.isFinite(value) ? value : 0
}

/** Parses lines of a name and a number. */
function fields(text = ''): Record<string, number> {
  const found: Record<string, number> = {}
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ')
    if (space > 0) found[line.slice(0, space)] = Number(line.slice(space + 1))
  }
  return found
}

function blkio(
  bytes: readonly BlkioEntry[] | null,
  operations: readonly BlkioEntry[] | null,
  rest: readonly BlkioEntry[] | null,
): BlkioStats {
  return {
    io_service_bytes_recursive: bytes,
    io_serviced_recursive: operations,
    io_queue_recursive: rest,
    io_service_time_recursive: rest,
    io_wait_time_recursive: rest,
    io_merged_recursive: rest,
    io_time_recursive: rest,
    sectors_recursive: rest,
  }
}

/** Parses lines of v1 such as `8:0 Read 4096`. The last line is the total of all devices and has no device number. */
function blkioEntries(text = ''): BlkioEntry[] {
  return [...text.matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)].map(([, major, minor, op = '', value]) => {
    return { major: Number(major), minor: Number(minor), op: op.toLowerCase(), value: Number(value) }
  })
}

/** Parses lines of v2 such as `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`. */
function ioEntries(text = ''): BlkioEntry[] {
  return [...text.matchAll(/^(\d+):(\d+) (.*)$/gm)].flatMap(([, major, minor, pairs = '']) => {
    const of = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`).exec(pairs)?.[1] ?? 0)
    return (['read', 'write'] as const).map((op) => {
      return { major: Number(major), minor: Number(minor), op, value: of(op === 'read' ? 'rbytes' : 'wbytes') }
    })
  })
}

/** Parses `net/dev`: two header lines, then per interface 8 fields of received and 8 of sent data (proc(5)). */
function networks(text: StatsText): Pick<ContainerStats, 'networks'> {
  const dev = text('net/dev')
  if (dev === undefined) return {}
  const found: Record<string, InterfaceStats> = {}
  for (const [, name = '', figures = ''] of dev.matchAll(/^\s*([^\s:]+):\s*(.*)$/gm)) {
    if (name === 'lo') continue
    const [rxBytes, rxPackets, rxErrors, rxDropped, , , , , txBytes, txPackets, txErrors, txDropped] = figures
      .split(/\s+/)
      .map(Number)
    found[name] = {
      rx_bytes: rxBytes ?? 0,
      rx_packets: rxPackets ?? 0,
      rx_errors: rxErrors ?? 0,
      rx_dropped: rxDropped ?? 0,
      tx_bytes: txBytes ?? 0,
      tx_packets: txPackets ?? 0,
      tx_errors: txErrors ?? 0,
      tx_dropped: txDropped ?? 0,
    }
  }
  return Object.keys(found).length === 0 ? {} : { networks: found }
}
