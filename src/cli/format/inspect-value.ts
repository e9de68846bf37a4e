/** The daemon's answers with the types of Docker's CLI. Objects are structs with all their fields, except those that
 *  are maps. So a template can use Go's field names (`.ID`) and fields that JSON leaves out when they are nil. */
import {
  GoDuration,
  GoFloat,
  GoStruct,
  goJson,
  NilCollection,
  toGoMaps,
  typeName,
  withType,
} from '../../template/index.ts'

/** Members that are maps: their objects have arbitrary keys. */
const maps = new Set([
  'Annotations',
  'AuxiliaryAddresses',
  'Containers',
  'Data',
  'DriverOpts',
  'EndpointsConfig',
  'ExposedPorts',
  'IndexConfigs',
  'Labels',
  'Networks',
  'Options',
  'PortBindings',
  'Ports',
  'Runtimes',
  'Status',
  'StorageOpt',
  'Sysctls',
  'Tmpfs',
  'Volumes',
  'Services',
  'Peers',
  'annotations',
  'Details',
  'DriverOpts',
  'Config:LogConfig',
])

/** Members that are pointers: null prints as nil instead of as an empty list. */
const pointers = new Set([
  'Healthcheck',
  'Health',
  'IPAMConfig',
  'Init',
  'MemorySwappiness',
  'OomKillDisable',
  'PidsLimit',
  'StopTimeout',
  'SizeRw',
  'SizeRootFs',
  'UsageData',
  'ClusterVolume',
  'ConfigFrom',
  'HostConfig',
  'Config',
  'State',
  'NetworkSettings',
])

/** Fields that JSON leaves out when they are empty. `marker` is a member that identifies the object. */
const omitted: readonly (readonly [marker: string, fields: Readonly<Record<string, unknown>>])[] = [
  ['FinishedAt', { Health: null }],
  [
    'AttachStdin',
    {
      Healthcheck: null,
      ExposedPorts: new NilCollection('map'),
      ArgsEscaped: false,
      NetworkDisabled: false,
      MacAddress: '',
      StopSignal: '',
      StopTimeout: null,
      Shell: new NilCollection('slice'),
      OnBuild: new NilCollection('slice'),
    },
  ],
  [
    'NetworkMode',
    {
      Annotations: new NilCollection('map'),
      Init: null,
      Mounts: new NilCollection('slice'),
      StorageOpt: new NilCollection('map'),
      Tmpfs: new NilCollection('map'),
      Sysctls: new NilCollection('map'),
      Runtime: '',
    },
  ],
  [
    'Test',
    {
      Interval: new GoDuration(0),
      Timeout: new GoDuration(0),
      StartPeriod: new GoDuration(0),
      StartInterval: new GoDuration(0),
      Retries: 0,
    },
  ],
  ['RestartCount', { SizeRw: null, SizeRootFs: null, ImageManifestDescriptor: null }],
  ['RepoTags', { Variant: '', OsVersion: '', Descriptor: null, Manifests: new NilCollection('slice') }],
  ['Destination', { Name: '', Driver: '' }],
  ['Mountpoint', { Status: new NilCollection('map'), UsageData: null, ClusterVolume: null, CreatedAt: '' }],
  ['EndpointID', { DNSNames: new NilCollection('slice'), GwPriority: 0 }],
]

/** Such fields of an image's configuration. */
const imageConfig: Readonly<Record<string, unknown>> = {
  User: '',
  ExposedPorts: new NilCollection('map'),
  Env: new NilCollection('slice'),
  Entrypoint: new NilCollection('slice'),
  Cmd: new NilCollection('slice'),
  Volumes: new NilCollection('map'),
  WorkingDir: '',
  Labels: new NilCollection('map'),
  StopSignal: '',
  ArgsEscaped: false,
  Healthcheck: null,
  OnBuild: new NilCollection('slice'),
  Shell: new NilCollection('slice'),
}

/** Fields whose Go name differs from their JSON name. Docker's templates use the former, its JSON has the latter. */
const goNames: Readonly<Record<string, string>> = {
  ApiVersion: 'APIVersion',
  CpuCfsPeriod: 'CPUCfsPeriod',
  CpuCfsQuota: 'CPUCfsQuota',
  CpuCount: 'CPUCount',
  CpuPercent: 'CPUPercent',
  CpuPeriod: 'CPUPeriod',
  CpuQuota: 'CPUQuota',
  CpuRealtimePeriod: 'CPURealtimePeriod',
  CpuRealtimeRuntime: 'CPURealtimeRuntime',
  CpuShares: 'CPUShares',
  Dns: 'DNS',
  DnsOptions: 'DNSOptions',
  DnsSearch: 'DNSSearch',
  HostIp: 'HostIP',
  HttpProxy: 'HTTPProxy',
  HttpsProxy: 'HTTPSProxy',
  Id: 'ID',
  NanoCpus: 'NanoCPUs',
}

/** Converts an answer. `key` is the member that holds `value`, `owner` the member around that one. */
export function toGoStructs(value: unknown, key = '', owner = '', structName = 'struct'): unknown {
  if (Array.isArray(value)) return toSlice(value, key)
  // Go decodes numbers without a declared type into floats.
  if (ofAnything.has(key)) return toGoMaps(value, (number) => new GoFloat(number))
  const isMap = maps.has(key) || maps.has(`${key}:${owner}`)
  if (value === null) {
    if (pointers.has(key)) return null
    return new NilCollection(isMap ? 'map' : 'slice')
  }
  if (typeof value === 'number' && owner === 'Healthcheck' && durations.has(key)) return new GoDuration(value)
  if (typeof value !== 'object') return value
  const entries = Object.entries(value).map(
    ([name, item]) => [name, toGoStructs(item, isMap ? '' : name, key)] as const,
  )
  const fields = new Map<string, unknown>(entries)
  if (isMap)
    return withType(fields, `map[${portMaps.has(key) ? 'nat.Port' : 'string'}]${elementType([...fields.values()])}`)
  const named = new Map(entries.map(([name, item]) => [goNames[name] ?? name, item] as const))
  return new GoStruct(structName, named, {
    lookup: (name) => lookUp(fields, name, key),
    json: () => jsonOfFields(fields),
  })
}

/** Maps with a key type that a template can't write as a string. Such a template is executed again on the plain
 *  answer. */
const portMaps = new Set(['ExposedPorts', 'PortBindings', 'Ports'])

/** Durations of a health check. */
const durations = new Set(['Interval', 'StartInterval', 'StartPeriod', 'Timeout'])

/** Maps whose values may have any type. */
const ofAnything = new Set(['Status'])

function toSlice(items: readonly unknown[], key: string): readonly unknown[] {
  const values = items.map((item) => toGoStructs(item, '', key))
  return withType(values, `[]${elementType(values)}`)
}

function elementType(values: readonly unknown[]): string {
  const [first] = values
  return first === undefined || typeof first === 'string' ? 'string' : typeName(first)
}

function jsonOfFields(fields: ReadonlyMap<string, unknown>): string {
  return goJson(new GoStruct('', fields))
}

function lookUp(
  fields: ReadonlyMap<string, unknown>,
  name: string,
  key: string,
): { readonly value: unknown } | undefined {
  if (key === 'Config' && !fields.has('AttachStdin') && Object.hasOwn(imageConfig, name))
    return { value: imageConfig[name] }
  for (const [marker, absent] of omitted) {
    if (fields.has(marker) && Object.hasOwn(absent, name)) return { value: absent[name] }
  }
  return undefined
}
