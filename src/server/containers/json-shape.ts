/** Checks what is inside of a field of a request body: the types of members, in Go's words. Null fits everywhere. */
import { invalidArgument } from '../../base/index.ts'

/** What a value has to look like. Members that an object has besides are passed over, as Go does. */
export type JsonShape =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'object'
  | { readonly list: JsonShape }
  | { readonly map: JsonShape }
  | { readonly struct: Readonly<Record<string, JsonShape>> }

const goNames = { string: 'string', boolean: 'bool', integer: 'int64', object: 'struct {}' } as const

const strings: JsonShape = { list: 'string' }
const texts: JsonShape = { map: 'string' }
const throttles: JsonShape = { list: { struct: { Path: 'string', Rate: 'integer' } } }

/** Shapes of the fields of ContainerConfig and HostConfig that have an inside. */
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
  PortBindings: { map: { list: { struct: { HostIp: 'string', HostPort: 'string' } } } },
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

/** Throws `invalidArgument` for the first member of another type. `name`: as the message calls the field. */
export function checkShape(name: string, value: unknown, shape: JsonShape): void {
  if (value === null || value === undefined) return
  if (typeof shape === 'string') {
    if (!isOfType(value, shape)) throw typeMismatch(name, value, goNames[shape])
    return
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) throw typeMismatch(name, value, '[]struct')
    for (const item of value) checkShape(name, item, shape.list)
    return
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw typeMismatch(name, value, 'map' in shape ? 'map[string]string' : 'struct')
  }
  for (const [key, member] of Object.entries(value)) {
    if ('map' in shape) checkShape(name, member, shape.map)
    else if (shape.struct[key] !== undefined) checkShape(`${name}.${key}`, member, shape.struct[key])
  }
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

/** As Go names the type of a JSON value. */
export function jsonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function isOfType(value: unknown, type: keyof typeof goNames): boolean {
  if (type === 'integer') return isGoInteger(value)
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value)
  return typeof value === type
}
