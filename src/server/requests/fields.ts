/** Every field of ContainerConfig and HostConfig: its shape, and the value that inspect shows while it is not set. */
import type { ContainerConfig, HostConfig } from '../../api/index.ts'
import {
  args,
  argument,
  document,
  isZero,
  keys,
  labels,
  lines,
  name,
  names,
  options,
  path,
  type Shape,
  type StructMembers,
} from './shape.ts'

interface Field {
  readonly shape: Shape
  /** The value that inspect shows while the field is not set. Undefined: inspect leaves the field out. */
  readonly zero: unknown
}

/** Fields by name. */
type FieldTable = Readonly<Record<string, Field>>

const text: Field = { shape: name, zero: '' }
const pathText: Field = { shape: path, zero: '' }
const optionalText: Field = { shape: name, zero: undefined }
const flag: Field = { shape: 'boolean', zero: false }
const optionalFlag: Field = { shape: 'boolean', zero: undefined }
const integer: Field = { shape: 'integer', zero: 0 }
const optionalInteger: Field = { shape: 'integer', zero: undefined }
const nullInteger: Field = { shape: 'integer', zero: null }
const nameList: Field = { shape: names, zero: null }
const pathList: Field = { shape: { list: path }, zero: null }
const lineList: Field = { shape: lines, zero: null }
const commandShape: Shape = { list: argument, orText: true }
const command: Field = { shape: commandShape, zero: null }
const capabilities: Field = { shape: { list: name, orText: true }, zero: null }
const optionalMap: Field = { shape: options, zero: undefined }
const throttles: Field = { shape: { list: { struct: { Path: path, Rate: 'integer' } } }, zero: null }

const health: Shape = {
  struct: {
    Test: args,
    Interval: 'integer',
    Timeout: 'integer',
    StartPeriod: 'integer',
    StartInterval: 'integer',
    Retries: 'integer',
  },
  omitsZeros: true,
}

const portBindings: Shape = {
  map: { list: { struct: { HostIp: name, HostPort: name }, complete: true } },
  nullMeans: 'null',
}

const device: Shape = { struct: { PathOnHost: path, PathInContainer: path, CgroupPermissions: { text: 16 } } }

const deviceRequest: Shape = {
  struct: { Driver: name, Count: 'integer', DeviceIDs: names, Capabilities: { list: names }, Options: options },
}

const mount: Shape = {
  struct: {
    Type: name,
    Source: path,
    Target: path,
    ReadOnly: 'boolean',
    Consistency: name,
    BindOptions: {
      struct: {
        Propagation: name,
        NonRecursive: 'boolean',
        CreateMountpoint: 'boolean',
        ReadOnlyNonRecursive: 'boolean',
        ReadOnlyForceRecursive: 'boolean',
      },
      omitsZeros: true,
    },
    VolumeOptions: {
      struct: {
        NoCopy: 'boolean',
        Labels: labels,
        Subpath: path,
        DriverConfig: { struct: { Name: name, Options: options }, omitsZeros: true },
      },
      omitsZeros: true,
    },
    ImageOptions: { struct: { Subpath: path }, omitsZeros: true },
    TmpfsOptions: {
      struct: { SizeBytes: 'integer', Mode: 'integer', Options: { list: names } },
      omitsZeros: true,
    },
    ClusterOptions: 'object',
  },
  omitsZeros: true,
}

/** In the order in which dockerd writes them. */
export const containerConfigFields: Readonly<Record<keyof ContainerConfig, Field>> = {
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  ExposedPorts: { shape: keys, zero: undefined },
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Env: { shape: args, zero: null },
  Cmd: command,
  Healthcheck: { shape: health, zero: undefined },
  ArgsEscaped: optionalFlag,
  Image: text,
  Volumes: { shape: keys, zero: null },
  WorkingDir: pathText,
  Entrypoint: command,
  NetworkDisabled: optionalFlag,
  MacAddress: optionalText,
  OnBuild: { shape: args, zero: null },
  Labels: { shape: labels, zero: {} },
  StopSignal: optionalText,
  StopTimeout: optionalInteger,
  Shell: { shape: commandShape, zero: undefined },
}

/** In the order in which dockerd writes them. */
export const hostConfigFields: Readonly<Record<keyof HostConfig, Field>> = {
  Binds: lineList,
  ContainerIDFile: pathText,
  LogConfig: { shape: { struct: { Type: name, Config: options } }, zero: { Type: 'json-file', Config: {} } },
  NetworkMode: text,
  PortBindings: { shape: portBindings, zero: null },
  RestartPolicy: {
    shape: { struct: { Name: name, MaximumRetryCount: 'integer' } },
    zero: { Name: 'no', MaximumRetryCount: 0 },
  },
  AutoRemove: flag,
  VolumeDriver: text,
  VolumesFrom: nameList,
  ConsoleSize: { shape: { list: 'integer' }, zero: [0, 0] },
  Annotations: optionalMap,
  CapAdd: capabilities,
  CapDrop: capabilities,
  CgroupnsMode: text,
  Dns: nameList,
  DnsOptions: nameList,
  DnsSearch: nameList,
  ExtraHosts: nameList,
  GroupAdd: nameList,
  IpcMode: text,
  Cgroup: text,
  Links: nameList,
  OomScoreAdj: integer,
  PidMode: text,
  Privileged: flag,
  PublishAllPorts: flag,
  ReadonlyRootfs: flag,
  SecurityOpt: { shape: { list: document }, zero: null },
  StorageOpt: optionalMap,
  Tmpfs: optionalMap,
  UTSMode: text,
  UsernsMode: text,
  ShmSize: integer,
  Sysctls: optionalMap,
  Runtime: text,
  Isolation: text,
  CpuShares: integer,
  Memory: integer,
  NanoCpus: integer,
  CgroupParent: pathText,
  BlkioWeight: integer,
  BlkioWeightDevice: { shape: { list: { struct: { Path: path, Weight: 'integer' } } }, zero: null },
  BlkioDeviceReadBps: throttles,
  BlkioDeviceWriteBps: throttles,
  BlkioDeviceReadIOps: throttles,
  BlkioDeviceWriteIOps: throttles,
  CpuPeriod: integer,
  CpuQuota: integer,
  CpuRealtimePeriod: integer,
  CpuRealtimeRuntime: integer,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: { shape: { list: device }, zero: null },
  DeviceCgroupRules: nameList,
  DeviceRequests: { shape: { list: deviceRequest }, zero: null },
  KernelMemory: optionalInteger,
  KernelMemoryTCP: optionalInteger,
  MemoryReservation: integer,
  MemorySwap: integer,
  MemorySwappiness: nullInteger,
  OomKillDisable: flag,
  PidsLimit: nullInteger,
  Ulimits: {
    shape: { list: { struct: { Name: name, Soft: 'integer', Hard: 'integer' } } },
    zero: null,
  },
  CpuCount: integer,
  CpuPercent: integer,
  IOMaximumIOps: integer,
  IOMaximumBandwidth: integer,
  Mounts: { shape: { list: mount }, zero: undefined },
  MaskedPaths: pathList,
  ReadonlyPaths: pathList,
  Init: optionalFlag,
}

/** Shapes of the members of a container's configuration. */
export const containerConfigMembers: StructMembers = shapesOf(containerConfigFields)
/** Shapes of the members of a host configuration. */
export const hostConfigMembers: StructMembers = shapesOf(hostConfigFields)

function shapesOf(fields: FieldTable): StructMembers {
  return Object.fromEntries(Object.entries(fields).map(([key, { shape }]) => [key, shape]))
}

/** The object with every field that inspect always shows, in dockerd's order. */
export function completeFields<T extends object>(value: T, fields: FieldTable): T {
  const known = value as Readonly<Record<string, unknown>>
  const result: Record<string, unknown> = {}
  for (const [name, { zero }] of Object.entries(fields)) {
    const member = known[name] ?? zero
    // Go leaves out zeros of fields that it leaves out while unset, except for pointers, which tell zero from unset.
    const isLeftOut = zero === undefined && !keepsZero.has(name) && (isZero(member) || isEmptyMap(member))
    if (member !== undefined && !isLeftOut) result[name] = member
  }
  return result as T
}

/** Fields that are pointers in Go. */
const keepsZero: ReadonlySet<string> = new Set(['StopTimeout', 'Init', 'Healthcheck'])

function isEmptyMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
