/** The bodies of the `/networks` routes: JSON to types. Type errors have Go's texts. */
import type { NetworkConnectBody, NetworkCreateBody, NetworkDisconnectBody } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import { type FieldTable, readFields } from './fields.ts'

const createFields: FieldTable = fieldTable({
  Name: 'string',
  CheckDuplicate: 'boolean',
  Driver: 'string',
  Scope: 'string',
  EnableIPv4: 'boolean',
  EnableIPv6: 'boolean',
  IPAM: 'object',
  Internal: 'boolean',
  Attachable: 'boolean',
  Ingress: 'boolean',
  ConfigOnly: 'boolean',
  ConfigFrom: 'object',
  Options: 'object',
  Labels: 'object',
})
const ipamFields = fieldTable({ Driver: 'string', Options: 'object', Config: 'list' })
const ipamConfigFields = fieldTable({
  Subnet: 'string',
  IPRange: 'string',
  Gateway: 'string',
  AuxiliaryAddresses: 'object',
  // The member's name up to API 1.23, and in clients that follow Go's tag.
  AuxAddress: 'object',
})
const connectFields = fieldTable({ Container: 'string', EndpointConfig: 'object' })
const disconnectFields = fieldTable({ Container: 'string', Force: 'boolean' })
const endpointFields = fieldTable({
  IPAMConfig: 'object',
  Links: 'strings',
  Aliases: 'strings',
  MacAddress: 'string',
  DriverOpts: 'object',
  GwPriority: 'integer',
})
const endpointIpamFields = fieldTable({ IPv4Address: 'string', IPv6Address: 'string', LinkLocalIPs: 'strings' })

/** The body of a create request. */
export function decodeCreate(body: unknown): NetworkCreateBody {
  const request = readFields('CreateRequest', asObject(body, 'CreateRequest'), createFields)
  const { IPAM: ipam, ConfigFrom: source } = request
  return {
    ...request,
    Options: stringMap(request.Options, 'CreateRequest.Options'),
    Labels: stringMap(request.Labels, 'CreateRequest.Labels'),
    ...(ipam === undefined ? {} : { IPAM: decodeIpam(ipam as object) }),
    ...(source === undefined
      ? {}
      : { ConfigFrom: readFields('ConfigReference', source as object, fieldTable({ Network: 'string' })) }),
  } as NetworkCreateBody
}

/** The body of a connect request. */
export function decodeConnect(body: unknown): NetworkConnectBody {
  const request = readFields('ConnectOptions', asObject(body, 'ConnectOptions'), connectFields)
  const { EndpointConfig: endpoint } = request
  return { ...request, ...(endpoint === undefined ? {} : { EndpointConfig: decodeEndpoint(endpoint as object) }) }
}

/** The body of a disconnect request. */
export function decodeDisconnect(body: unknown): NetworkDisconnectBody {
  return readFields('DisconnectOptions', asObject(body, 'DisconnectOptions'), disconnectFields)
}

/** The members of EndpointSettings that a client may send. The engine fills in the others. */
export function decodeEndpoint(value: object): NonNullable<NetworkConnectBody['EndpointConfig']> {
  const settings = readFields('EndpointSettings', value, endpointFields)
  const ipam = settings.IPAMConfig
  return {
    ...settings,
    ...(settings.DriverOpts === undefined
      ? {}
      : { DriverOpts: stringMap(settings.DriverOpts, 'EndpointSettings.DriverOpts') }),
    ...(ipam === undefined ? {} : { IPAMConfig: readFields('EndpointIPAMConfig', ipam as object, endpointIpamFields) }),
  }
}

function decodeIpam(value: object): NonNullable<NetworkCreateBody['IPAM']> {
  const ipam = readFields('IPAM', value, ipamFields)
  const list = (ipam.Config ?? []) as readonly unknown[]
  const config = list.map((item) => {
    const fields = readFields('IPAMConfig', asObject(item, 'IPAM.Config'), ipamConfigFields)
    const auxiliary = stringMap(fields.AuxiliaryAddresses ?? fields.AuxAddress, 'IPAMConfig.AuxiliaryAddresses')
    return {
      Subnet: text(fields.Subnet),
      IPRange: text(fields.IPRange),
      Gateway: text(fields.Gateway),
      AuxiliaryAddresses: auxiliary,
    }
  })
  return {
    Driver: text(ipam.Driver),
    Options: ipam.Options === undefined ? undefined : stringMap(ipam.Options, 'IPAM.Options'),
    Config: config,
  }
}

function text(value: unknown): string | undefined {
  return value as string | undefined
}

function stringMap(value: unknown, name: string): Record<string, string> {
  const entries = Object.entries((value ?? {}) as object)
  const wrong = entries.find(([, member]) => typeof member !== 'string')
  if (wrong !== undefined) {
    throw invalidArgument(
      `invalid JSON: json: cannot unmarshal ${typeof wrong[1]} into Go struct field ${name} of type string`,
    )
  }
  return Object.fromEntries(entries)
}

function asObject(value: unknown, name: string): object {
  // No body counts as an empty one, as in Docker.
  if (value === undefined || value === null) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return value
  const what = Array.isArray(value) ? 'array' : typeof value
  throw invalidArgument(`invalid JSON: json: cannot unmarshal ${what} into Go value of type network.${name}`)
}

function fieldTable(types: Readonly<Record<string, FieldTable[string]['type']>>): FieldTable {
  return Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type, zero: undefined }]))
}
