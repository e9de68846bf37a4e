/** `--device`, `--device-cgroup-rule` and `--privileged` → device nodes and rules. */
import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DeviceMapping, HostConfig } from '../../api/index.ts'
import { errnoOf, invalidArgument, TimeSlice } from '../../base/index.ts'
import type { OciDevice, OciDeviceRule } from '../../oci/index.ts'

export interface ContainerDevices {
  readonly devices: readonly OciDevice[]
  readonly rules: readonly OciDeviceRule[]
}

/** What the host has now. Throws `invalidArgument` in Docker's words for a path that is no device. */
export async function containerDevices(hostConfig: HostConfig): Promise<ContainerDevices> {
  const rules = (hostConfig.DeviceCgroupRules ?? []).map(parseDeviceRule)
  const privileged = hostConfig.Privileged === true
  const each: ContainerDevices[] = []
  for (const mapping of hostConfig.Devices ?? []) {
    if (!privileged || mapping.PathInContainer !== mapping.PathOnHost) each.push(await mapped(mapping))
  }
  if (privileged) {
    return { devices: [...(await hostDevices('/dev')), ...each.flatMap(({ devices }) => devices)], rules }
  }
  return { devices: each.flatMap(({ devices }) => devices), rules: [...each.flatMap((one) => one.rules), ...rules] }
}

/** One `--device-cgroup-rule`: `TYPE MAJOR:MINOR ACCESS`. */
function parseDeviceRule(text: string): OciDeviceRule {
  const [, type, major = '*', minor = '*', access] = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text) ?? []
  if (type === undefined || access === undefined) throw invalidArgument(`invalid device cgroup rule format: '${text}'`)
  return {
    allow: true,
    type: type as 'a' | 'c' | 'b',
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access,
  }
}

/** One `--device`: a node, or all nodes of a directory. */
async function mapped({
  PathOnHost: source,
  PathInContainer: target,
  CgroupPermissions: access,
}: DeviceMapping): Promise<ContainerDevices> {
  const host = source ?? ''
  const inside = target || host
  const fail = (why: string, cause?: unknown) =>
    invalidArgument(`error gathering device information while adding custom device ${JSON.stringify(host)}: ${why}`, {
      cause,
    })
  let stats: Stats
  try {
    stats = statSync(host)
  } catch (cause) {
    throw fail(errnoOf(cause) === 'ENOENT' ? 'no such file or directory' : String(errnoOf(cause)), cause)
  }
  const devices = stats.isDirectory() ? await hostDevices(host, inside) : [nodeOf(inside, stats)]
  const found = devices.filter((device) => device !== undefined)
  if (found.length === 0) throw fail('not a device node')
  return { devices: found, rules: found.map((device) => ruleFor(device, access || 'rwm')) }
}

function ruleFor({ type, major, minor }: OciDevice, access: string): OciDeviceRule {
  return { allow: true, type: type === 'b' ? 'b' : 'c', major, minor, access }
}

/** Every container gets its own of these. */
const ownEntries = new Set(['pts', 'shm', 'fd', 'mqueue', 'console', '.lxc', '.lxd-mounts', '.udev'])

/** All device nodes below a directory of the host. The user may name one with any number of files. */
async function hostDevices(directory: string, inside = directory): Promise<OciDevice[]> {
  const devices: OciDevice[] = []
  const slice = new TimeSlice()
  for (const node of nodesBelow(directory, inside)) {
    if (node !== undefined) devices.push(node)
    if (slice.isOver) await slice.renew()
  }
  return devices
}

/** Gives `undefined` for everything else, so that the walk can pause there. */
function* nodesBelow(directory: string, inside: string): Iterable<OciDevice | undefined> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (ownEntries.has(entry.name)) continue
    const path = join(directory, entry.name)
    const target = join(inside, entry.name)
    if (entry.isDirectory()) yield* nodesBelow(path, target)
    else if (entry.isCharacterDevice() || entry.isBlockDevice()) yield nodeOf(target, lstatSync(path))
    else yield undefined
  }
}

/** The device node at a path, or undefined for something else. */
export function nodeOf(path: string, stats: Stats): OciDevice | undefined {
  if (!stats.isCharacterDevice() && !stats.isBlockDevice()) return undefined
  // The kernel's 32-bit packing: 12 bits of major between the two parts of minor (makedev(3)).
  const major = (stats.rdev >>> 8) & 0xfff
  const minor = (stats.rdev & 0xff) | ((stats.rdev >>> 12) & 0xfff00)
  return {
    path,
    type: stats.isBlockDevice() ? 'b' : 'c',
    major,
    minor,
    fileMode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
  }
}
