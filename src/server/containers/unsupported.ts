/** Refuses by name what the engine would otherwise ignore. Each field of the create body has a class in one of two
 *  tables: honored (the engine checks the value), inert (it has no effect on Linux, as in Docker), or refused unless
 *  its value means "not asked for". A new field in the API types is a compile error here until it has a class. */
import type { ContainerConfig, HostConfig } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'

/** Null: honored or inert. Otherwise a test for values that ask for nothing, and the error text for other values. */
type FieldClass = null | readonly [isNeutral: IsNeutral, refusal: (value: unknown) => string]
type IsNeutral = (value: unknown) => boolean

const honored = null
const inert = null
const windowsOnly: FieldClass = [isUnset, () => 'it is for Windows containers only']

const configClasses: Readonly<Record<keyof ContainerConfig, FieldClass>> = {
  Hostname: honored,
  Domainname: honored,
  User: honored,
  AttachStdin: honored,
  AttachStdout: honored,
  AttachStderr: honored,
  ExposedPorts: honored,
  Tty: honored,
  OpenStdin: honored,
  StdinOnce: honored,
  Env: honored,
  Cmd: honored,
  Healthcheck: honored,
  // Windows only.
  ArgsEscaped: inert,
  Image: honored,
  Volumes: honored,
  WorkingDir: honored,
  Entrypoint: honored,
  NetworkDisabled: honored,
  MacAddress: honored,
  // Both only have an effect in builds.
  OnBuild: inert,
  Shell: inert,
  Labels: honored,
  StopSignal: honored,
  StopTimeout: honored,
}

const hostClasses: Readonly<Record<keyof HostConfig, FieldClass>> = {
  Binds: honored,
  // The client writes the file.
  ContainerIDFile: inert,
  LogConfig: honored,
  NetworkMode: honored,
  PortBindings: honored,
  RestartPolicy: honored,
  AutoRemove: honored,
  VolumeDriver: honored,
  VolumesFrom: honored,
  Mounts: honored,
  ConsoleSize: honored,
  Annotations: honored,
  CapAdd: honored,
  CapDrop: honored,
  CgroupnsMode: [isOneOf('', 'private', 'host'), (mode) => `invalid cgroup namespace mode: ${mode}`],
  Dns: honored,
  DnsOptions: honored,
  DnsSearch: honored,
  ExtraHosts: honored,
  GroupAdd: honored,
  IpcMode: honored,
  Cgroup: [isUnset, () => "no OCI runtime puts a container into another's control group; CgroupParent names a group"],
  Links: honored,
  OomScoreAdj: honored,
  PidMode: [(mode) => /^($|private$|host$|container:.)/.test(String(mode)), (mode) => `invalid PID mode: ${mode}`],
  Privileged: honored,
  PublishAllPorts: honored,
  ReadonlyRootfs: honored,
  SecurityOpt: honored,
  StorageOpt: honored,
  Tmpfs: honored,
  UTSMode: [isOneOf('', 'host', 'private'), (mode) => `invalid UTS mode: ${mode}`],
  UsernsMode: [isOneOf('', 'host'), (mode) => `invalid user namespace mode: ${mode}`],
  ShmSize: honored,
  Sysctls: honored,
  Runtime: honored,
  Isolation: [isDefaultIsolation, (value) => `invalid isolation: "${value}" - linux only supports 'default'`],
  CpuShares: honored,
  Memory: honored,
  NanoCpus: honored,
  CgroupParent: honored,
  BlkioWeight: honored,
  BlkioWeightDevice: honored,
  BlkioDeviceReadBps: honored,
  BlkioDeviceWriteBps: honored,
  BlkioDeviceReadIOps: honored,
  BlkioDeviceWriteIOps: honored,
  CpuPeriod: honored,
  CpuQuota: honored,
  CpuRealtimePeriod: honored,
  CpuRealtimeRuntime: honored,
  CpusetCpus: honored,
  CpusetMems: honored,
  Devices: honored,
  DeviceCgroupRules: honored,
  DeviceRequests: honored,
  KernelMemory: honored,
  KernelMemoryTCP: honored,
  MemoryReservation: honored,
  MemorySwap: honored,
  MemorySwappiness: honored,
  OomKillDisable: honored,
  PidsLimit: honored,
  Ulimits: honored,
  CpuCount: windowsOnly,
  CpuPercent: windowsOnly,
  IOMaximumIOps: windowsOnly,
  IOMaximumBandwidth: windowsOnly,
  MaskedPaths: honored,
  ReadonlyPaths: honored,
  Init: honored,
}

/** Throws `invalidArgument` for the first field that asks for something the engine does not do, with the field's name
 *  and the reason. */
export function refuseUnsupported(config: ContainerConfig, hostConfig: HostConfig): void {
  refuseFields('Config', config, configClasses)
  refuseFields('HostConfig', hostConfig, hostClasses)
}

function refuseFields(owner: string, value: object, classes: Readonly<Record<string, FieldClass | undefined>>): void {
  for (const [name, member] of Object.entries(value)) {
    if (member === null || member === undefined) continue
    const fieldClass = classes[name] ?? null
    if (fieldClass === null) continue
    const [isNeutral, refusal] = fieldClass
    if (!isNeutral(member)) throw refused(`${owner}.${name} ${shorten(member)}`, refusal(member))
  }
}

/** The error text. Docker's own texts have the value in them already. */
function refused(what: string, reason: string): Error {
  return invalidArgument(reason.startsWith('invalid ') ? reason : `${what}: ${reason}`)
}

/** Whether a value is zero, or an object whose members are all zero. */
function isUnset(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === 0 || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && Object.values(value).every(isUnset)
}

/** Compares in any case, as Docker does. */
function isDefaultIsolation(value: unknown): boolean {
  return typeof value === 'string' && ['', 'default'].includes(value.toLowerCase())
}

function isOneOf(...values: readonly (string | number)[]): (value: unknown) => boolean {
  return (value) => (values as readonly unknown[]).includes(value)
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? ''
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
