/** Limits that this kernel can't set are dropped with a warning, in Docker's words. Limits that a container must not
 *  run without are refused instead. Pure. */
import type { HostConfig } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import type { CgroupFeatures } from '../../sys/index.ts'

interface Limit {
  readonly isSet: (hostConfig: HostConfig) => boolean
  readonly feature: keyof CgroupFeatures
  readonly without: HostConfig
  readonly warning: string
}

const noCgroup = 'or the cgroup is not mounted'
const notEmpty = (list: readonly unknown[] | null | undefined) => (list?.length ?? 0) > 0

const limits: readonly Limit[] = [
  {
    isSet: ({ Memory: memory, MemorySwap: swap }) => Boolean(memory) && swap !== -1,
    feature: 'swap',
    without: { MemorySwap: -1 },
    warning: `Your kernel does not support swap limit capabilities ${noCgroup}. Memory limited without swap.`,
  },
  {
    isSet: ({ Memory: memory }) => Boolean(memory),
    feature: 'memory',
    without: { Memory: 0, MemorySwap: -1 },
    warning: `Your kernel does not support memory limit capabilities ${noCgroup}. Limitation discarded.`,
  },
  {
    isSet: ({ MemorySwappiness: swappiness }) => typeof swappiness === 'number' && swappiness !== -1,
    feature: 'memorySwappiness',
    without: { MemorySwappiness: null },
    warning: `Your kernel does not support memory swappiness capabilities ${noCgroup}. Memory swappiness discarded.`,
  },
  {
    isSet: ({ MemoryReservation: reservation }) => Boolean(reservation),
    feature: 'memoryReservation',
    without: { MemoryReservation: 0 },
    warning: `Your kernel does not support memory soft limit capabilities ${noCgroup}. Limitation discarded.`,
  },
  {
    isSet: ({ KernelMemoryTCP: bytes }) => Boolean(bytes),
    feature: 'kernelMemoryTcp',
    without: { KernelMemoryTCP: 0 },
    warning: `Your kernel does not support kernel memory TCP limit capabilities ${noCgroup}. Limitation discarded.`,
  },
  {
    isSet: ({ OomKillDisable: disable }) => disable === true,
    feature: 'oomKillDisable',
    without: { OomKillDisable: false },
    warning: 'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
  },
  {
    isSet: ({ PidsLimit: pids }) => Boolean(pids),
    feature: 'pids',
    without: { PidsLimit: null },
    warning: `Your kernel does not support PIDs limit capabilities ${noCgroup}. PIDs limit discarded.`,
  },
  {
    isSet: ({ CpuShares: shares }) => Boolean(shares),
    feature: 'cpuShares',
    without: { CpuShares: 0 },
    warning: `Your kernel does not support CPU shares ${noCgroup}. Shares discarded.`,
  },
  {
    isSet: ({ CpuPeriod: period, CpuQuota: quota }) => Boolean(period || quota),
    feature: 'cpuCfsQuota',
    without: { CpuPeriod: 0, CpuQuota: 0 },
    warning: 'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.',
  },
  {
    isSet: ({ CpusetCpus: cpus, CpusetMems: mems }) => Boolean(cpus || mems),
    feature: 'cpuset',
    without: { CpusetCpus: '', CpusetMems: '' },
    warning: `Your kernel does not support cpuset ${noCgroup}. Cpuset discarded.`,
  },
  {
    isSet: ({ BlkioWeight: weight }) => Boolean(weight),
    feature: 'blkioWeight',
    without: { BlkioWeight: 0 },
    warning: `Your kernel does not support Block I/O weight ${noCgroup}. Weight discarded.`,
  },
  {
    isSet: ({ BlkioWeightDevice: devices }) => notEmpty(devices),
    feature: 'blkioWeightDevice',
    without: { BlkioWeightDevice: [] },
    warning: `Your kernel does not support Block I/O weight_device ${noCgroup}. Weight-device discarded.`,
  },
  throttle('BlkioDeviceReadBps', 'BPS Block I/O read limit', 'BPS read'),
  throttle('BlkioDeviceWriteBps', 'BPS Block I/O write limit', 'BPS write'),
  throttle('BlkioDeviceReadIOps', 'IOPS Block read limit', 'IOPS read'),
  throttle('BlkioDeviceWriteIOps', 'IOPS Block write limit', 'IOPS write'),
]

function throttle(
  field: 'BlkioDeviceReadBps' | 'BlkioDeviceWriteBps' | 'BlkioDeviceReadIOps' | 'BlkioDeviceWriteIOps',
  what: string,
  short: string,
): Limit {
  return {
    isSet: (hostConfig) => notEmpty(hostConfig[field]),
    feature: 'blkioThrottle',
    without: { [field]: [] },
    warning: `Your kernel does not support ${what} ${noCgroup}. Block I/O ${short} limit discarded.`,
  }
}

/** Gives the limits that the kernel supports, and warnings about the others. Throws `invalidArgument` for a CPU share
 *  or a real-time budget that the kernel can't set. */
export function withoutUnsupportedLimits(
  hostConfig: HostConfig,
  features: CgroupFeatures,
): { readonly hostConfig: HostConfig; readonly warnings: readonly string[] } {
  if (hostConfig.NanoCpus && !features.cpuCfsQuota) {
    throw invalidArgument(
      'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
    )
  }
  if ((hostConfig.CpuRealtimePeriod || hostConfig.CpuRealtimeRuntime) && !features.cpuRealtime) {
    throw invalidArgument('kernel does not support CPU real-time scheduler')
  }
  const missing = limits.filter(({ isSet, feature }) => !features[feature] && isSet(hostConfig))
  const warnings = missing.map(({ warning }) => warning)
  const kept = Object.assign({ ...hostConfig }, ...missing.map(({ without }) => without)) as HostConfig
  if (!kept.KernelMemory) return { hostConfig: kept, warnings }
  // No kernel since Linux 5.4 supports it, and later versions of the API omit it.
  warnings.push(
    'Specifying a kernel memory limit is deprecated and will be removed in a future release. Limitation discarded.',
  )
  const { KernelMemory, ...without } = kept
  return { hostConfig: without, warnings }
}
