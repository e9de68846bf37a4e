/** Objects and lists inside the fields of a request body, read as Go reads them: members have types, type errors have
 *  Go's texts, names match in any case, and null fits any type. */
import { invalidArgument } from '../../base/index.ts'

/** The shape of a value. Unknown members of an object are dropped, as by Go. */
export type JsonShape =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'object'
  | { readonly list: JsonShape }
  | { readonly map: JsonShape }
  | StructShape

interface StructShape {
  readonly struct: Readonly<Record<string, JsonShape>>
  /** Strings that are absent are shown as ''. */
  readonly complete?: boolean
}

const goNames = { string: 'string', boolean: 'bool', integer: 'int64', object: 'struct {}' } as const

const strings: JsonShape = { list: 'string' }
const texts: JsonShape = { map: 'string' }
const throttles: JsonShape = { list: { struct: { Path: 'string', Rate: 'integer' } } }

/** Shapes of the fields of ContainerConfig and HostConfig that are objects or lists. */
export const nestedShapes: Readonly<Record<string, JsonShape>> = {
  Labels: texts,
  ExposedPorts: { map: 'object' },
  Volumes: { map: 'object' },
  Healthcheck: {
    struct: {
      Test: strings,
      Interval: 'integer',
      Timeout: 'integer',
      StartPeriod: 'integer',
      StartInterval: 'integer',
      Retries: 'integer',
    },
  },
  LogConfig: { struct: { Type: 'string', Config: texts } },
  RestartPolicy: { struct: { Name: 'string', MaximumRetryCount: 'integer' } },
  PortBindings: { map: { list: { struct: { HostIp: 'string', HostPort: 'string' }, complete: true } } },
  ConsoleSize: { list: 'integer' },
  Annotations: texts,
  StorageOpt: texts,
  Tmpfs: texts,
  Sysctls: texts,
  BlkioWeightDevice: { list: { struct: { Path: 'string', Weight: 'integer' } } },
  BlkioDeviceReadBps: throttles,
  BlkioDeviceWriteBps: throttles,
  BlkioDeviceReadIOps: throttles,
  BlkioDeviceWriteIOps: throttles,
  Devices: { list: { struct: { PathOnHost: 'string', PathInContainer: 'string', CgroupPermissions: 'string' } } },
  DeviceRequests: {
    list: {
      struct: {
        Driver: 'string',
        Count: 'integer',
        DeviceIDs: strings,
        Capabilities: { list: strings },
        Options: texts,
      },
    },
  },
  Ulimits: { list: { struct: { Name: 'string', Soft: 'integer', Hard: 'integer' } } },
  Mounts: {
    list: {
      struct: {
        Type: 'string',
        Source: 'string',
        Target: 'string',
        ReadOnly: 'boolean',
        Consistency: 'string',
        BindOptions: {
          struct: {
            Propagation: 'string',
            NonRecursive: 'boolean',
            CreateMountpoint: 'boolean',
            ReadOnlyNonRecursive: 'boolean',
            ReadOnlyForceRecursive: 'boolean',
          },
        },
        VolumeOptions: {
          struct: {
            NoCopy: 'boolean',
            Labels: texts,
            Subpath: 'string',
            DriverConfig: { struct: { Name: 'string', Options: texts } },
          },
        },
        ImageOptions: { struct: { Subpath: 'string' } },
        TmpfsOptions: { struct: { SizeBytes: 'integer', Mode: 'integer', Options: { list: strings } } },
        ClusterOptions: 'object',
      },
    },
  },
}

/** The value with its members under the names of the shape. Throws `invalidArgument` for the first member of a wrong
 *  type. `name` is the field's name in the message. */
export function readShape(name: string, value: unknown, shape: JsonShape): unknown {
  if (value === null || value === undefined) return value
  if (typeof shape === 'string') {
    if (!isOfType(value, shape)) throw typeMismatch(name, value, goNames[shape])
    return value
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) throw typeMismatch(name, value, '[]struct')
    return value.map((item) => readShape(name, item, shape.list))
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw typeMismatch(name, value, 'map' in shape ? 'map[string]string' : 'struct')
  }
  if ('struct' in shape) return readStruct(name, value, shape)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, readShape(name, member, shape.map)]))
}

function readStruct(name: string, value: object, { struct, complete = false }: StructShape): object {
  const known = Object.keys(struct)
  const zeros = complete ? known.filter((key) => struct[key] === 'string').map((key) => [key, '']) : []
  const members: Record<string, unknown> = Object.fromEntries(zeros)
  for (const [given, member] of Object.entries(value)) {
    const key = known.find((one) => one === given || one.toLowerCase() === given.toLowerCase())
    const inside = key === undefined ? undefined : struct[key]
    if (key === undefined || inside === undefined) continue
    if (member === null && key in members) continue
    members[key] = readShape(`${name}.${key}`, member, inside)
  }
  return members
}

/** True for a JSON number that fits into Go's int64. */
export function isGoInteger(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 63
}

/** The error of Go's decoder for a value of another type. */
export function typeMismatch(name: string, value: unknown, goType: string): Error {
  const shown = typeof value === 'number' && goType === 'int64' ? `number ${value}` : jsonTypeOf(value)
  return invalidArgument(`invalid JSON: json: cannot unmarshal ${shown} into Go struct field ${name} of type ${goType}`)
}

/** Go's name for the type of a JSON value. */
export function jsonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function isOfType(value: unknown, type: keyof typeof goNames): boolean {
  if (type === 'integer') return isGoInteger(value)
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value)
  return typeof value === type
}
