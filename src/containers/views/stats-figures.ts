/** From the kernel's files to the figures of the API: one function for each of cgroup v1 and v2. Pure. */
import type { BlkioEntry, BlkioStats, ContainerStats, CpuStats, InterfaceStats } from '../../api/index.ts'
import type { StatsText } from '../../sys/index.ts'

/** What is known of the host at the moment of a reading. */
export interface HostFigures {
  readonly cpuNs: number
  readonly processors: number
  readonly memoryBytes: number
}

/** The figures without names, times, and what was before. */
export type Figures = Pick<ContainerStats, 'pids_stats' | 'blkio_stats' | 'cpu_stats' | 'memory_stats' | 'networks'>

/** Of a container without a process. */
export const noCpu: CpuStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
}

/** Of a container without a process. */
export const noFigures: Figures = {
  pids_stats: {},
  blkio_stats: blkio(null, null, null),
  cpu_stats: noCpu,
  memory_stats: {},
}

const noLimit = Number.POSITIVE_INFINITY

/** Under cgroup v1. */
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

/** Under cgroup v2. */
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
  // Without one Docker says 2^64-1, or nothing; the first is no number of JavaScript's.
  return { current: number(text('pids.current')), ...(limit === 0 ? {} : { limit }) }
}

/** A file of one number; 0 for `max` and for no file. */
function number(text: string | undefined): number {
  const value = Number(text ?? 0)
  return Number.isFinite(value) ? value : 0
}

/** Lines of a name and a number. */
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

/** v1: `8:0 Read 4096`. The last line is the sum of all devices, without a number. */
function blkioEntries(text = ''): BlkioEntry[] {
  return [...text.matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)].map(([, major, minor, op = '', value]) => {
    return { major: Number(major), minor: Number(minor), op: op.toLowerCase(), value: Number(value) }
  })
}

/** v2: `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`. */
function ioEntries(text = ''): BlkioEntry[] {
  return [...text.matchAll(/^(\d+):(\d+) (.*)$/gm)].flatMap(([, major, minor, pairs = '']) => {
    const of = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`).exec(pairs)?.[1] ?? 0)
    return (['read', 'write'] as const).map((op) => {
      return { major: Number(major), minor: Number(minor), op, value: of(op === 'read' ? 'rbytes' : 'wbytes') }
    })
  })
}

/** `net/dev`: two lines of titles, then `eth0: 8 fields of what was received, 8 of what was sent`. */
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
