/** Converts a record, and what the start prepared, to the input of the runtime's spec builder. */

import { existsSync, statSync } from 'node:fs'
import type { ContainerConfig, HostConfig } from '../../api/index.ts'
import { conflict, invalidArgument } from '../../base/index.ts'
import {
  type BindMount,
  buildEnv,
  findInit,
  type NamespaceMode,
  type NamespacesInput,
  type ProcessInput,
  type ResourceLimits,
  type ResourcesInput,
  type SecurityInput,
  type SpecInput,
} from '../../runtime/index.ts'
import { linkVariables } from '../connections/links.ts'
import { appArmorOf } from '../isolation/app-armor.ts'
import { runtimeCgroupOf } from '../isolation/cgroup-path.ts'
import { parseSecurityOptions, seccompOf } from '../isolation/security-options.ts'
import { labelsOf } from '../isolation/selinux.ts'
import { remapOf, userNamespaceDonor } from '../isolation/user-namespaces.ts'
import type { ContainerMount, ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { isUp } from '../record/state.ts'
import { sourceOf } from '../rootfs/mount-sources.ts'
import { resolveIn } from '../rootfs/rootfs.ts'
import { sharedMemoryOf } from '../rootfs/shared-memory.ts'
import { blockDevices } from './block-devices.ts'
import { containerDevices } from './devices.ts'
import { checkPropagation } from './propagation.ts'

/** What a start has prepared before it builds the spec. */
export interface PreparedRun {
  readonly rootfs: string
  readonly network: NamespaceMode
  /** Host paths of the `hosts`, `hostname` and `resolv.conf` to mount into the container. */
  readonly files: { readonly hosts: string; readonly hostname: string; readonly resolvConf: string }
}

/** The input of the spec builder. Throws `invalidArgument` for a user or group that the image does not know. */
export async function specInput(
  context: Uses<'containers' | 'networks' | 'paths' | 'settings' | 'specHost' | 'appArmor' | 'labels' | 'remap'>,
  record: ContainerRecord,
  run: PreparedRun,
): Promise<SpecInput> {
  const { config, hostConfig } = record
  const user = resolveIn(run.rootfs, config.User ?? '', hostConfig.GroupAdd ?? [])
  return {
    process: {
      args: [record.path, ...record.args],
      env: containerEnv(config, user.home, { links: linkVariables(context, record) }),
      cwd: config.WorkingDir || '/',
      user,
      terminal: config.Tty === true,
      ...consoleSize(hostConfig),
      rlimits: rlimits(context, hostConfig),
      ...(hostConfig.OomScoreAdj ? { oomScoreAdj: hostConfig.OomScoreAdj } : {}),
      ...((hostConfig.Init ?? context.settings.init) ? { init: findInit(context.settings.initPath) } : {}),
    },
    files: {
      rootfs: run.rootfs,
      readonlyRootfs: hostConfig.ReadonlyRootfs === true,
      binds: bindMounts(context, record, run),
      tmpfs: record.mounts
        .filter((mount) => mount.type === 'tmpfs')
        .map((mount) => ({ destination: mount.destination, options: mount.options ?? [] })),
      shmSizeBytes: hostConfig.ShmSize ?? context.settings.shmSizeBytes,
    },
    namespaces: namespaces(context, record, run),
    security: security(context, record),
    resources: {
      limits: resourceLimits(hostConfig),
      ...(await devices(hostConfig)),
      cgroupsPath: runtimeCgroupOf(context, record.id, hostConfig),
    },
    ...(hostConfig.Annotations ? { annotations: hostConfig.Annotations } : {}),
  }
}

/** The environment of a container's processes. HOME is the user's home directory unless the configuration sets it. */
export function containerEnv(
  config: ContainerConfig,
  home: string | undefined,
  {
    links,
    extra = [],
    terminal = config.Tty === true,
  }: { readonly links: readonly string[]; readonly extra?: readonly string[]; readonly terminal?: boolean },
): string[] {
  const env = buildEnv([...links, ...(config.Env ?? []), ...extra], { hostname: config.Hostname ?? '', terminal })
  if (!env.some((entry) => entry.startsWith('HOME='))) env.push(`HOME=${home || '/'}`)
  return env
}

function security(context: Uses<'settings' | 'appArmor' | 'labels'>, record: ContainerRecord): SecurityInput {
  const { hostConfig } = record
  const labels = labelsOf(context, record)
  const options = parseSecurityOptions(hostConfig.SecurityOpt ?? [])
  const privileged = hostConfig.Privileged === true
  return {
    privileged,
    ...appArmorOf(context, hostConfig),
    ...(labels === undefined ? {} : { labels }),
    capabilities: { add: hostConfig.CapAdd ?? [], drop: hostConfig.CapDrop ?? [] },
    seccomp: options.seccomp ?? (privileged ? 'unconfined' : seccompOf(context.settings.seccompProfile)),
    noNewPrivileges: options.noNewPrivileges ?? context.settings.noNewPrivileges,
    ...(hostConfig.MaskedPaths ? { maskedPaths: hostConfig.MaskedPaths } : {}),
    ...(hostConfig.ReadonlyPaths ? { readonlyPaths: hostConfig.ReadonlyPaths } : {}),
  }
}

async function devices(hostConfig: HostConfig): Promise<Pick<ResourcesInput, 'devices' | 'deviceRules'>> {
  const { devices: nodes, rules } = await containerDevices(hostConfig)
  return { devices: nodes, deviceRules: rules }
}

function namespaces(
  context: Uses<'containers' | 'paths' | 'remap'>,
  record: ContainerRecord,
  run: PreparedRun,
): NamespacesInput {
  const { id, config, hostConfig } = record
  const { CgroupnsMode: cgroup } = hostConfig
  const shmSource = sharedMemoryOf(context, id, hostConfig)
  return {
    network: run.network,
    pid: namespaceMode(context, hostConfig.PidMode ?? '', 'pid'),
    ipc: namespaceMode(context, hostConfig.IpcMode ?? '', 'ipc'),
    noShm: hostConfig.IpcMode === 'none',
    ...(shmSource === undefined ? {} : { shmSource }),
    uts: hostConfig.UTSMode === 'host' ? 'host' : 'private',
    hostname: config.Hostname ?? '',
    domainname: config.Domainname ?? '',
    ...(cgroup === 'host' || cgroup === 'private' ? { cgroup } : {}),
    ...userNamespace(context, record),
    ...(hostConfig.Sysctls ? { sysctls: hostConfig.Sysctls } : {}),
  }
}

function userNamespace(context: Uses<'containers' | 'remap'>, record: ContainerRecord): Pick<NamespacesInput, 'users'> {
  const remap = remapOf(context, record.hostConfig)
  if (remap === undefined) return {}
  const donor = userNamespaceDonor(context, record)
  const join = donor === undefined ? {} : { path: `/proc/${donor.state.pid}/ns/user` }
  return { users: { mappings: remap.mappings, ...join } }
}

function consoleSize(hostConfig: HostConfig): { consoleSize?: { height: number; width: number } } {
  const [height = 0, width = 0] = hostConfig.ConsoleSize ?? []
  return height > 0 && width > 0 ? { consoleSize: { height, width } } : {}
}

/** Parses `''`, `private`, `host`, `container:NAME`, and for ipc also `shareable` and `none`. */
function namespaceMode(context: Uses<'containers'>, mode: string, kind: 'pid' | 'ipc'): NamespaceMode {
  if (mode === 'host') return 'host'
  if (!mode.startsWith('container:')) return 'private'
  return { path: namespaceOf(context, mode.slice('container:'.length), kind) }
}

/** Path of a running container's namespace in /proc. Throws `notFound`, and `conflict` if the container does not
 *  run. */
export function namespaceOf(context: Uses<'containers'>, target: string, kind: 'pid' | 'ipc' | 'net'): string {
  const other = context.containers.get(target)
  if (!isUp(other.state.status)) {
    const what = kind === 'net' ? 'network' : kind === 'pid' ? 'PID' : 'IPC'
    throw conflict(`cannot join ${what} namespace of a non running container: ${other.id}`)
  }
  return `/proc/${other.state.pid}/ns/${kind}`
}

function bindMounts(
  context: Uses<'paths' | 'specHost' | 'labels'>,
  record: ContainerRecord,
  run: PreparedRun,
): BindMount[] {
  const own = new Set(record.mounts.map((mount) => mount.destination))
  const standard = [
    { source: run.files.resolvConf, destination: '/etc/resolv.conf' },
    { source: run.files.hostname, destination: '/etc/hostname' },
    { source: run.files.hosts, destination: '/etc/hosts' },
  ].filter(({ source, destination }) => source !== '' && !own.has(destination))
  return [
    ...standard.map((mount) => ({ ...mount, readonly: false, propagation: 'rprivate' as const })),
    ...policyMount(context, record),
    ...record.mounts
      .filter((mount) => mount.type !== 'tmpfs')
      .map((mount) => bindOf(context, mount, sourceOf(context, record, mount))),
  ]
}

/** `label=nested`: programs inside may query the SELinux policy, and label files as far as the policy allows. */
function policyMount(context: Uses<'labels'>, record: ContainerRecord): BindMount[] {
  const { labels } = parseSecurityOptions(record.hostConfig.SecurityOpt ?? [])
  if (!labels.includes('nested') || labelsOf(context, record) === undefined) return []
  return [{ source: '/sys/fs/selinux', destination: '/sys/fs/selinux', readonly: false }]
}

function bindOf(context: Uses<'specHost'>, mount: ContainerMount, source: string): BindMount {
  if (!existsSync(source)) {
    throw invalidArgument(`invalid mount config for type "${mount.type}": bind source path does not exist: ${source}`)
  }
  checkPropagation(source, mount.propagation)
  return {
    source,
    destination: mount.destination,
    readonly: mount.readOnly,
    // A file has no mounts below, and crun would treat it as a directory.
    recursiveReadonly:
      mount.readOnlyDepth !== 'top' && canBeReadOnlyDeep(context, mount) && statSync(source).isDirectory(),
    ...(mount.nonRecursive === true ? { nonRecursive: true } : {}),
    propagation: (mount.propagation || 'rprivate') as NonNullable<BindMount['propagation']>,
  }
}

/** Linux 5.12 added mount_setattr(2). Throws `invalidArgument` if the kernel lacks it and the mount requires it. */
function canBeReadOnlyDeep({ specHost }: Uses<'specHost'>, mount: ContainerMount): boolean {
  const [major = 0, minor = 0] = specHost.kernelRelease.split('.').map((part) => Number.parseInt(part, 10))
  const can = major > 5 || (major === 5 && minor >= 12)
  if (!can && mount.readOnlyDepth === 'all') {
    throw invalidArgument(
      `rro is not supported for ${mount.destination}: kernel ${specHost.kernelRelease} is older than 5.12`,
    )
  }
  return can
}

function resourceLimits(hostConfig: HostConfig): ResourceLimits {
  const limits: Record<string, number | string | boolean> = {}
  const set = (key: keyof ResourceLimits, value: number | string | boolean | null | undefined): void => {
    if (value !== undefined && value !== null && value !== 0 && value !== '' && value !== false) limits[key] = value
  }
  set('memoryBytes', hostConfig.Memory)
  set('memorySwapBytes', hostConfig.MemorySwap)
  set('memoryReservationBytes', hostConfig.MemoryReservation)
  set('memorySwappiness', hostConfig.MemorySwappiness)
  set('oomKillDisable', hostConfig.OomKillDisable)
  set('nanoCpus', hostConfig.NanoCpus)
  set('cpuShares', hostConfig.CpuShares)
  set('cpuQuota', hostConfig.CpuQuota)
  set('cpuPeriod', hostConfig.CpuPeriod)
  set('cpusetCpus', hostConfig.CpusetCpus)
  set('cpusetMems', hostConfig.CpusetMems)
  set('pidsLimit', hostConfig.PidsLimit)
  set('blkioWeight', hostConfig.BlkioWeight)
  set('cpuRealtimePeriod', hostConfig.CpuRealtimePeriod)
  set('cpuRealtimeRuntime', hostConfig.CpuRealtimeRuntime)
  set('kernelMemoryTcpBytes', hostConfig.KernelMemoryTCP)
  const devices = blockDevices(hostConfig)
  return { ...limits, ...(devices === undefined ? {} : { blockDevices: devices }) } as ResourceLimits
}

/** The limits of each process of a container: its own ones, and the daemon's defaults for the rest. */
export function rlimits(context: Uses<'settings'>, hostConfig: HostConfig): ProcessInput['rlimits'] {
  const byName = new Map(context.settings.ulimits.map((limit) => [limit.name, limit]))
  for (const { Name: name = '', Soft: soft, Hard: hard } of hostConfig.Ulimits ?? []) {
    byName.set(name ?? '', { name: name ?? '', soft: soft ?? 0, hard: hard ?? 0 })
  }
  return [...byName.values()].map(({ name, soft, hard }) => ({
    type: `RLIMIT_${name.toUpperCase()}`,
    soft: unlimited(soft),
    hard: unlimited(hard),
  }))
}

/** The OCI runtime takes RLIM_INFINITY as the largest unsigned 64-bit number, which a JavaScript number can't hold
 *  exactly. */
function unlimited(value: number): number {
  return value === -1 ? Number.MAX_SAFE_INTEGER : value
}
