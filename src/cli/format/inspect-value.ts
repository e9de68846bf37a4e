/** The daemon's answers as Docker's CLI types them: objects are structs with all their fields, except those that are
 *  maps. A template then finds fields under Go's names (`.ID`) and fields that JSON leaves out when they are nil. */
import { GoFloat, GoStruct, NilCollection, toGoMaps, typeName, withType } from '../../template/index.ts'

/** Members whose objects have keys of any name. */
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

/** Members that are pointers: null prints as nil, not as an empty list. */
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

/** Fields that JSON leaves out when they are empty, by a member that tells which object it is. */
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
  ['RestartCount', { SizeRw: null, SizeRootFs: null, ImageManifestDescriptor: null }],
  ['RepoTags', { Variant: '', OsVersion: '', Descriptor: null, Manifests: new NilCollection('slice') }],
  ['Destination', { Name: '', Driver: '' }],
  ['Mountpoint', { Status: new NilCollection('map'), UsageData: null, ClusterVolume: null, CreatedAt: '' }],
  ['EndpointID', { DNSNames: new NilCollection('slice'), GwPriority: 0 }],
]

/** The same of an image's configuration. */
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

/** Go's names write acronyms in capitals (`ID`, `NanoCPUs`, `APIVersion`) where Docker's JSON mostly does not. */
function jsonName(goName: string): string {
  return goName.replace(/ID|IP|DNS|CPU|API/g, (acronym) => acronym.charAt(0) + acronym.slice(1).toLowerCase())
}

/** `key` is the member that `value` stands in, `owner` the one around it. */
export function toGoStructs(value: unknown, key = '', owner = '', structName = 'struct'): unknown {
  if (Array.isArray(value)) return toSlice(value, key)
  // Go decodes what it has no type for into floats.
  if (ofAnything.has(key)) return toGoMaps(value, (number) => new GoFloat(number))
  const isMap = maps.has(key) || maps.has(`${key}:${owner}`)
  if (value === null) {
    if (pointers.has(key)) return null
    return new NilCollection(isMap ? 'map' : 'slice')
  }
  if (typeof value !== 'object') return value
  const entries = Object.entries(value).map(
    ([name, item]) => [name, toGoStructs(item, isMap ? '' : name, key)] as const,
  )
  const fields = new Map<string, unknown>(entries)
  if (isMap) return withType(fields, `map[string]${elementType([...fields.values()])}`)
  return new GoStruct(structName, fields, { lookup: (name) => lookUp(fields, name, key) })
}

/** Maps whose values are of any kind. */
const ofAnything = new Set(['Status'])

function toSlice(items: readonly unknown[], key: string): readonly unknown[] {
  const values = items.map((item) => toGoStructs(item, '', key))
  return withType(values, `[]${elementType(values)}`)
}

function elementType(values: readonly unknown[]): string {
  const [first] = values
  return first === undefined || typeof first === 'string' ? 'string' : typeName(first)
}

function lookUp(
  fields: ReadonlyMap<string, unknown>,
  name: string,
  key: string,
): { readonly value: unknown } | undefined {
  const other = jsonName(name)
  if (fields.has(other)) return { value: fields.get(other) }
  if (key === 'Config' && !fields.has('AttachStdin') && Object.hasOwn(imageConfig, name))
    return { value: imageConfig[name] }
  for (const [marker, absent] of omitted) {
    if (fields.has(marker) && Object.hasOwn(absent, name)) return { value: absent[name] }
  }
  return undefined
}
