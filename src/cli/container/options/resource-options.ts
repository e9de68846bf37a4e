/** Limits, devices and ulimits of `create` and `run`. */
import type {
  DeviceMapping,
  DeviceRequest,
  Resources,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
} from '../../../api/index.ts'
import { invalidArgument } from '../../../base/index.ts'
import type { FlagValues } from '../../flags/flag-values.ts'
import { parseBinarySize } from '../../format/units.ts'
import { definedOnly } from './defined-only.ts'

/** Gives only the members that the flags set. Throws `invalidArgument` with Docker's text. */
export function parseResources(flags: FlagValues): Resources {
  const number = (name: string): number | undefined => (flags.has(name) ? flags.number(name) : undefined)
  const text = (name: string): string | undefined => flags.string(name) || undefined
  const swappiness = flags.number('memory-swappiness', -1)
  if (swappiness !== -1 && (swappiness < 0 || swappiness > 100)) {
    throw invalidArgument(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`)
  }
  const devices = flags.list('device')
  return definedOnly<Resources>({
    CpuShares: number('cpu-shares'),
    Memory: number('memory'),
    NanoCpus: number('cpus'),
    CgroupParent: text('cgroup-parent'),
    BlkioWeight: number('blkio-weight'),
    BlkioWeightDevice: unlessEmpty(flags.list('blkio-weight-device').map(parseWeight)),
    BlkioDeviceReadBps: unlessEmpty(flags.list('device-read-bps').map((value) => parseRate(value, parseBinarySize))),
    BlkioDeviceWriteBps: unlessEmpty(flags.list('device-write-bps').map((value) => parseRate(value, parseBinarySize))),
    BlkioDeviceReadIOps: unlessEmpty(flags.list('device-read-iops').map((value) => parseRate(value, Number))),
    BlkioDeviceWriteIOps: unlessEmpty(flags.list('device-write-iops').map((value) => parseRate(value, Number))),
    CpuPeriod: number('cpu-period'),
    CpuQuota: number('cpu-quota'),
    CpuRealtimePeriod: number('cpu-rt-period'),
    CpuRealtimeRuntime: number('cpu-rt-runtime'),
    CpusetCpus: text('cpuset-cpus'),
    CpusetMems: text('cpuset-mems'),
    Devices: unlessEmpty(devices.filter((value) => !isCdiName(value)).map(parseDevice)),
    DeviceCgroupRules: unlessEmpty(flags.list('device-cgroup-rule')),
    DeviceRequests: unlessEmpty([...flags.list('gpus').map(parseGpus), ...cdiRequest(devices.filter(isCdiName))]),
    MemoryReservation: number('memory-reservation'),
    MemorySwap: number('memory-swap'),
    MemorySwappiness: swappiness === -1 ? undefined : swappiness,
    OomKillDisable: flags.bool('oom-kill-disable') || undefined,
    PidsLimit: number('pids-limit'),
    Ulimits: unlessEmpty(uniqueUlimits(flags.list('ulimit'))),
    CpuCount: number('cpu-count'),
    CpuPercent: number('cpu-percent'),
    IOMaximumIOps: number('io-maxiops'),
    IOMaximumBandwidth: number('io-maxbandwidth'),
  })
}

function unlessEmpty<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items
}

/** Of several values for one resource, the last one counts. */
function uniqueUlimits(values: readonly string[]): readonly Ulimit[] {
  const byName = new Map(values.map((value) => [value.split('=')[0] ?? '', parseUlimit(value)]))
  return [...byName.keys()].toSorted().map((name) => byName.get(name) ?? {})
}

/** Parses `nofile=1024:2048`. */
function parseUlimit(value: string): Ulimit {
  const [name = '', limits = ''] = value.split('=')
  const [soft = '', hard = soft] = limits.split(':')
  return { Name: name, Soft: Number(soft), Hard: Number(hard) }
}

function parseDevice(value: string): DeviceMapping {
  const [host = '', second, third] = value.split(':')
  const isMode = second !== undefined && third === undefined && /^[rwm]+$/.test(second)
  return {
    PathOnHost: host,
    PathInContainer: second === undefined || isMode ? host : second,
    CgroupPermissions: (isMode ? second : third) ?? 'rwm',
  }
}

/** True for the name of a device in the Container Device Interface: `vendor.example/class=device`. */
function isCdiName(value: string): boolean {
  return /^[A-Za-z][\w.-]*\/[A-Za-z][\w-]*=[\w.:-]+$/.test(value)
}

function cdiRequest(names: readonly string[]): DeviceRequest[] {
  return names.length === 0 ? [] : [{ Driver: 'cdi', DeviceIDs: names }]
}

/** Parses `all`, a number, or `count=2,capabilities=…,device=…`. */
export function parseGpus(value: string): DeviceRequest {
  const fields = Object.fromEntries(
    value.split(',').map((field) => (field.includes('=') ? field.split('=', 2) : ['count', field])),
  ) as Record<string, string>
  const { count, device, driver = '', capabilities } = fields
  if (count !== undefined && count !== 'all' && !/^-?\d+$/.test(count)) {
    throw invalidArgument(`invalid count (${count}): value must be either "all" or an integer: invalid syntax`)
  }
  const wanted = count === 'all' ? -1 : Number(count ?? 1)
  return {
    Driver: driver,
    Count: device === undefined ? wanted : 0,
    DeviceIDs: device === undefined ? null : device.split(','),
    Capabilities: [['gpu', ...(capabilities ?? '').split(',').filter((name) => name !== '' && name !== 'gpu')]],
    Options: {},
  }
}

function splitDevice(value: string): readonly [string, string] {
  const colon = value.indexOf(':')
  const path = value.slice(0, colon)
  if (colon <= 0) throw invalidArgument(`bad format: ${value}`)
  if (!path.startsWith('/dev/')) throw invalidArgument(`bad format for device path: ${value}`)
  return [path, value.slice(colon + 1)]
}

/** Parses `/dev/sda:200`. */
export function parseWeight(value: string): WeightDevice {
  const [path, text] = splitDevice(value)
  const weight = Number(text)
  if (!/^\d+$/.test(text) || (weight !== 0 && (weight < 10 || weight > 1000))) {
    throw invalidArgument(`invalid weight for device: ${value}`)
  }
  return { Path: path, Weight: weight }
}

/** Parses `/dev/sda:1mb`. */
export function parseRate(value: string, parse: (text: string) => number): ThrottleDevice {
  const [path, text] = splitDevice(value)
  const rate = parse(text)
  if (!Number.isSafeInteger(rate) || rate < 0) {
    throw invalidArgument(
      `invalid rate for device: ${value}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer`,
    )
  }
  return { Path: path, Rate: rate }
}
