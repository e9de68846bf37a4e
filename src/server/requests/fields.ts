/** Every field of ContainerConfig and HostConfig: its JSON type, and the value that inspect shows while it is not set.
 *  Field names match in any case, as in Go; type errors have Go's texts. */
import type { ContainerConfig, HostConfig } from '../../api/index.ts'
import { isGoInteger, nestedShapes, readShape, typeMismatch } from './json-shape.ts'

type FieldType = 'string' | 'boolean' | 'integer' | 'strings' | 'command' | 'object' | 'list'

interface Field {
  readonly type: FieldType
  /** The value that inspect shows while the field is not set. Undefined: inspect leaves the field out. */
  readonly zero: unknown
}

const text: Field = { type: 'string', zero: '' }
const optionalText: Field = { type: 'string', zero: undefined }
const flag: Field = { type: 'boolean', zero: false }
const optionalFlag: Field = { type: 'boolean', zero: undefined }
const integer: Field = { type: 'integer', zero: 0 }
const optionalInteger: Field = { type: 'integer', zero: undefined }
const nullInteger: Field = { type: 'integer', zero: null }
const strings: Field = { type: 'strings', zero: null }
const command: Field = { type: 'command', zero: null }
const optionalCommand: Field = { type: 'command', zero: undefined }
const object: Field = { type: 'object', zero: {} }
const nullObject: Field = { type: 'object', zero: null }
const optionalObject: Field = { type: 'object', zero: undefined }
const nullList: Field = { type: 'list', zero: null }
const optionalList: Field = { type: 'list', zero: undefined }

/** In the order in which dockerd writes them. */
export const containerConfigFields: Readonly<Record<keyof ContainerConfig, Field>> = {
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  ExposedPorts: optionalObject,
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Env: strings,
  Cmd: command,
  Healthcheck: optionalObject,
  ArgsEscaped: optionalFlag,
  Image: text,
  Volumes: nullObject,
  WorkingDir: text,
  Entrypoint: command,
  NetworkDisabled: optionalFlag,
  MacAddress: optionalText,
  OnBuild: strings,
  Labels: object,
  StopSignal: optionalText,
  StopTimeout: optionalInteger,
  Shell: optionalCommand,
}

/** In the order in which dockerd writes them. */
export const hostConfigFields: Readonly<Record<keyof HostConfig, Field>> = {
  Binds: strings,
  ContainerIDFile: text,
  LogConfig: { type: 'object', zero: { Type: 'json-file', Config: {} } },
  NetworkMode: text,
  PortBindings: nullObject,
  RestartPolicy: { type: 'object', zero: { Name: 'no', MaximumRetryCount: 0 } },
  AutoRemove: flag,
  VolumeDriver: text,
  VolumesFrom: strings,
  ConsoleSize: { type: 'list', zero: [0, 0] },
  Annotations: optionalObject,
  CapAdd: { type: 'command', zero: null },
  CapDrop: { type: 'command', zero: null },
  CgroupnsMode: text,
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: text,
  Cgroup: text,
  Links: strings,
  OomScoreAdj: integer,
  PidMode: text,
  Privileged: flag,
  PublishAllPorts: flag,
  ReadonlyRootfs: flag,
  SecurityOpt: strings,
  StorageOpt: optionalObject,
  Tmpfs: optionalObject,
  UTSMode: text,
  UsernsMode: text,
  ShmSize: integer,
  Sysctls: optionalObject,
  Runtime: text,
  Isolation: text,
  CpuShares: integer,
  Memory: integer,
  NanoCpus: integer,
  CgroupParent: text,
  BlkioWeight: integer,
  BlkioWeightDevice: nullList,
  BlkioDeviceReadBps: nullList,
  BlkioDeviceWriteBps: nullList,
  BlkioDeviceReadIOps: nullList,
  BlkioDeviceWriteIOps: nullList,
  CpuPeriod: integer,
  CpuQuota: integer,
  CpuRealtimePeriod: integer,
  CpuRealtimeRuntime: integer,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: nullList,
  DeviceCgroupRules: strings,
  DeviceRequests: nullList,
  KernelMemory: optionalInteger,
  KernelMemoryTCP: optionalInteger,
  MemoryReservation: integer,
  MemorySwap: integer,
  MemorySwappiness: nullInteger,
  OomKillDisable: flag,
  PidsLimit: nullInteger,
  Ulimits: nullList,
  CpuCount: integer,
  CpuPercent: integer,
  IOMaximumIOps: integer,
  IOMaximumBandwidth: integer,
  Mounts: optionalList,
  MaskedPaths: strings,
  ReadonlyPaths: strings,
  Init: optionalFlag,
}

/** Fields by name. */
export type FieldTable = Readonly<Record<string, Field>>

/** Reads the known fields of a JSON object, with their names in any case, and checks their types. Null and unknown
 *  fields are dropped, as by Go's decoder. Throws `invalidArgument` in Go's words. */
export function readFields(owner: string, value: object, fields: FieldTable): Record<string, unknown> {
  const names = namesByLowerCase(fields)
  const result: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) {
    const name = key in fields ? key : names.get(key.toLowerCase())
    if (name === undefined || member === null || member === undefined) continue
    const type = fields[name]?.type
    if (type === undefined) continue
    const inside = nestedShapes[name]
    const outside = checkedField(`${owner}.${name}`, member, type)
    const checked = inside === undefined ? outside : readShape(`${owner}.${name}`, outside, inside)
    result[name] = omitsZeros.has(name) ? withoutZeros(checked) : checked
  }
  return result
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

/** Fields of which Go leaves out members that are zero. */
const omitsZeros: ReadonlySet<string> = new Set(['Healthcheck', 'Mounts'])

function withoutZeros(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutZeros)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !isZero(member))
      .map(([name, member]) => [name, name === 'Labels' || name === 'Options' ? member : withoutZeros(member)]),
  )
}

/** Fields that are pointers in Go. */
const keepsZero: ReadonlySet<string> = new Set(['StopTimeout', 'Init', 'Healthcheck'])

function isZero(value: unknown): boolean {
  return [null, undefined, '', 0, false].includes(value as null) || (Array.isArray(value) && value.length === 0)
}

function isEmptyMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

const lowerCaseNames = new WeakMap<FieldTable, ReadonlyMap<string, string>>()

function namesByLowerCase(fields: FieldTable): ReadonlyMap<string, string> {
  const known = lowerCaseNames.get(fields)
  if (known !== undefined) return known
  const names = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]))
  lowerCaseNames.set(fields, names)
  return names
}

const goTypes: Readonly<Record<FieldType, string>> = {
  string: 'string',
  boolean: 'bool',
  integer: 'int64',
  strings: '[]string',
  command: '[]string',
  object: 'map[string]string',
  list: '[]struct',
}

function checkedField(name: string, value: unknown, type: FieldType): unknown {
  if (type === 'command' && typeof value === 'string') return [value]
  if (matches(value, type)) return value
  throw typeMismatch(name, value, goTypes[type])
}

function matches(value: unknown, type: FieldType): boolean {
  switch (type) {
    case 'string':
    case 'boolean':
      return typeof value === type
    case 'integer':
      return isGoInteger(value)
    case 'strings':
    case 'command':
      return Array.isArray(value) && value.every((item) => typeof item === 'string')
    case 'object':
      return typeof value === 'object' && !Array.isArray(value)
    case 'list':
      return Array.isArray(value)
    default:
      return type satisfies never
  }
}
