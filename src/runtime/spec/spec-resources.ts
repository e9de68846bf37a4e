/** Limits and device rules of a container, in the OCI runtime's form. Pure. */
import type { OciDeviceRule, OciResources } from '../../oci/index.ts'
import type { ResourceLimits, ResourcesInput, SecurityInput } from './spec-input.ts'

/** Scheduling period for `--cpus`, in microseconds. */
const cpuPeriodUs = 100_000

/** Character devices that every container may use. The OCI runtime creates their nodes, and adds terminals itself. */
const commonDevices: readonly (readonly [major: number, minor: number])[] = [
  [1, 3], // null
  [1, 5], // zero
  [1, 8], // random
  [1, 9], // urandom
  [5, 0], // tty
  [5, 1], // console
]

/** Rules for the devices that the container may open. */
export function deviceRules(
  { privileged }: SecurityInput,
  { deviceRules: extra = [] }: ResourcesInput,
): readonly OciDeviceRule[] {
  if (privileged) return [{ allow: true, access: 'rwm' }]
  return [
    { allow: false, access: 'rwm' },
    ...commonDevices.map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' }) as const),
    ...extra,
  ]
}

/** The limits in the OCI runtime's form. Values that mean no limit are left out. */
export function resourcesOf(limits: ResourceLimits): OciResources {
  const memory = memoryOf(limits)
  const cpu = cpuOf(limits)
  const { pidsLimit } = limits
  const blockIO = present({ weight: positive(limits.blkioWeight), ...limits.blockDevices })
  return {
    ...(memory === undefined ? {} : { memory }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(pidsLimit === undefined || pidsLimit <= 0 ? {} : { pids: { limit: pidsLimit } }),
    ...(blockIO === undefined ? {} : { blockIO }),
  }
}

function memoryOf(limits: ResourceLimits): OciResources['memory'] {
  const limit = positive(limits.memoryBytes)
  const wantedSwap = limits.memorySwapBytes ?? 0
  const swap = wantedSwap !== 0 ? wantedSwap : limit === undefined ? undefined : limit * 2
  return present({
    limit,
    swap,
    reservation: positive(limits.memoryReservationBytes),
    swappiness: limits.memorySwappiness === -1 ? undefined : limits.memorySwappiness,
    disableOOMKiller: limits.oomKillDisable === true ? true : undefined,
    kernelTCP: positive(limits.kernelMemoryTcpBytes),
  })
}

function cpuOf(limits: ResourceLimits): OciResources['cpu'] {
  const nano = positive(limits.nanoCpus)
  return present({
    shares: positive(limits.cpuShares),
    quota: nano === undefined ? nonZero(limits.cpuQuota) : Math.round((nano * cpuPeriodUs) / 1e9),
    period: nano === undefined ? positive(limits.cpuPeriod) : cpuPeriodUs,
    realtimePeriod: positive(limits.cpuRealtimePeriod),
    realtimeRuntime: positive(limits.cpuRealtimeRuntime),
    cpus: limits.cpusetCpus === '' ? undefined : limits.cpusetCpus,
    mems: limits.cpusetMems === '' ? undefined : limits.cpusetMems,
  })
}

function positive(value: number | undefined): number | undefined {
  return value === undefined || value <= 0 ? undefined : value
}

function nonZero(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The entries whose value is defined; undefined when there are none. */
function present<T extends Readonly<Record<string, unknown>>>(entries: T): Present<T> | undefined {
  const kept = Object.entries(entries).filter(([, value]) => value !== undefined)
  return kept.length === 0 ? undefined : (Object.fromEntries(kept) as Present<T>)
}
