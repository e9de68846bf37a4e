/** The bodies of the `/networks` routes: JSON to types. Type errors have Go's texts. */
import type { IpamConfig, NetworkConnectBody, NetworkCreateBody, NetworkDisconnectBody } from '../../api/index.ts'
import { labels, name, names, options, readBody, type Shape, type StructMembers } from './shape.ts'

const ipamConfig: Shape = {
  struct: {
    Subnet: name,
    IPRange: name,
    Gateway: name,
    AuxiliaryAddresses: options,
    // The member's name up to API 1.23, and in clients that follow Go's tag.
    AuxAddress: options,
  },
}

const createMembers: StructMembers = {
  Name: name,
  CheckDuplicate: 'boolean',
  Driver: name,
  Scope: name,
  EnableIPv4: 'boolean',
  EnableIPv6: 'boolean',
  IPAM: { struct: { Driver: name, Options: options, Config: { list: ipamConfig } } },
  Internal: 'boolean',
  Attachable: 'boolean',
  Ingress: 'boolean',
  ConfigOnly: 'boolean',
  ConfigFrom: { struct: { Network: name } },
  Options: options,
  Labels: labels,
}

/** The members of EndpointSettings that a client may send. The engine fills in the others. */
export const endpointShape: Shape = {
  struct: {
    IPAMConfig: { struct: { IPv4Address: name, IPv6Address: name, LinkLocalIPs: names } },
    Links: names,
    Aliases: names,
    MacAddress: name,
    DriverOpts: options,
    GwPriority: 'integer',
  },
}

const connectMembers: StructMembers = { Container: name, EndpointConfig: endpointShape }
const disconnectMembers: StructMembers = { Container: name, Force: 'boolean' }

type GivenIpamConfig = IpamConfig & { readonly AuxAddress?: IpamConfig['AuxiliaryAddresses'] }

/** The body of a create request. */
export function decodeCreate(body: unknown): NetworkCreateBody {
  const request: NetworkCreateBody = readBody('network.CreateRequest', body, createMembers)
  const { IPAM: ipam } = request
  return {
    ...request,
    Options: request.Options ?? {},
    Labels: request.Labels ?? {},
    ...(ipam ? { IPAM: { ...ipam, Config: (ipam.Config ?? []).map(withKnownName) } } : {}),
  }
}

function withKnownName({ AuxAddress, ...config }: GivenIpamConfig): IpamConfig {
  return { ...config, AuxiliaryAddresses: config.AuxiliaryAddresses ?? AuxAddress ?? {} }
}

/** The body of a connect request. */
export function decodeConnect(body: unknown): NetworkConnectBody {
  return readBody('network.ConnectOptions', body, connectMembers)
}

/** The body of a disconnect request. */
export function decodeDisconnect(body: unknown): NetworkDisconnectBody {
  return readBody('network.DisconnectOptions', body, disconnectMembers)
}
