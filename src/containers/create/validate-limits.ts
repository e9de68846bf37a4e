/** Checks limits in a request against each other and against what is the same on every Linux. Messages are Docker's
 *  where Docker has one. */
import { readFileSync } from 'node:fs'
import type { HostConfig, Ulimit } from '../../api/index.ts'
import { errnoOf, invalidArgument } from '../../base/index.ts'

const minimumMemoryBytes = 6 * 1024 * 1024

/** The limits of getrlimit(2), as `--ulimit` names them. */
const ulimitNames: ReadonlySet<string> = new Set(
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
)

/** Throws `invalidArgument` for the first wrong limit. */
export function validateLimits(hostConfig: HostConfig): void {
  const { MemoryReservation: reservation, CpuRealtimePeriod: period, CpuRealtimeRuntime: runtime } = hostConfig
  if (reservation && reservation < minimumMemoryBytes) {
    throw invalidArgument('Minimum memory reservation allowed is 6MB')
  }
  if (period && runtime && runtime > period) {
    throw invalidArgument('cpu real-time runtime cannot be higher than cpu real-time period')
  }
  validateBlockDevices(hostConfig)
  for (const limit of hostConfig.Ulimits ?? []) validateUlimit(limit)
}

function validateBlockDevices(hostConfig: HostConfig): void {
  for (const { Path: path, Weight: weight } of hostConfig.BlkioWeightDevice ?? []) {
    if (!weight || weight < 10 || weight > 1000) {
      throw invalidArgument(`Range of blkio weight is from 10 to 1000: ${path} has ${weight ?? 0}`)
    }
  }
  for (const field of [
    'BlkioDeviceReadBps',
    'BlkioDeviceWriteBps',
    'BlkioDeviceReadIOps',
    'BlkioDeviceWriteIOps',
  ] as const) {
    for (const { Path: path, Rate: rate } of hostConfig[field] ?? []) {
      if (!rate || rate < 0) throw invalidArgument(`invalid rate for device: ${path}:${rate ?? 0} (${field})`)
    }
  }
}

function validateUlimit({ Name: name, Soft: soft = 0, Hard: hard = 0 }: Ulimit): void {
  if (!name) throw invalidArgument('invalid ulimit: no name')
  if (!ulimitNames.has(name)) throw invalidArgument(`invalid ulimit type: ${name}`)
  const [low, high] = [soft ?? 0, hard ?? 0]
  if (high !== -1 && (low > high || low === -1)) {
    throw invalidArgument(`ulimit soft limit must be less than or equal to hard limit: ${low} > ${high}`)
  }
  const most = name === 'nofile' ? mostOpenFiles() : undefined
  if (most !== undefined && (high > most || high === -1)) {
    throw invalidArgument(
      `invalid ulimit nofile=${low}:${high}: the kernel lets no process have more than ${most} files (fs.nr_open)`,
    )
  }
}

function mostOpenFiles(): number | undefined {
  try {
    return Number(readFileSync('/proc/sys/fs/nr_open', 'utf8'))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
