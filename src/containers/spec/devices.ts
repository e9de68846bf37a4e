/** `--device`, `--device-cgroup-rule` and `--privileged`: device nodes and the rules that permit their use. */
import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DeviceMapping, HostConfig } from '../../api/index.ts'
import { errnoOf, invalidArgument, TimeSlice } from '../../base/index.ts'
import type { OciDevice, OciDeviceRule } from '../../oci/index.ts'

/** The device nodes of a container, and the cgroup rules for them. */
export interface ContainerDevices {
  readonly devices: readonly OciDevice[]
  readonly rules: readonly OciDeviceRule[]
}

/** Reads the requested devices from the host. Throws `invalidArgument`, in Docker's words, for a path that is not a
 *  device. */
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

/** Parses one `--device-cgroup-rule`: `TYPE MAJOR:MINOR ACCESS`. */
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

/** The nodes of one `--device`: a single node, or all nodes of a directory. */
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

/** Entries of /dev that every container has for itself. */
const ownEntries = new Set(['pts', 'shm', 'fd', 'mqueue', 'console', '.lxc', '.lxd-mounts', '.udev'])

/** All device nodes below a directory of the host. The directory may hold any number of files, so the walk pauses to
 *  let other work run. */
async function hostDevices(directory: string, inside = directory): Promise<OciDevice[]> {
  const devices: OciDevice[] = []
  const slice = new TimeSlice()
  for (const node of nodesBelow(directory, inside)) {
    if (node !== undefined) devices.push(node)
    if (slice.isOver) await slice.renew()
  }
  return devices
}

/** Yields `undefined` for everything that is not a device node, so that the caller can pause there. */
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

/** The device node for a path, or undefined for anything else. */
export function nodeOf(path: string, stats: Stats): OciDevice | undefined {
  if (!stats.isCharacterDevice() && !stats.isBlockDevice()) return undefined
  // The kernel packs device numbers into 32 bits: 12 bits of major between the two parts of minor (makedev(3)).
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
