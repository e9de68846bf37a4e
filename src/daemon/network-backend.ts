import type { IpamConfig, Network, NetworkCreateBody, NetworksPruneResponse } from '../api/index.ts'
import { invalidArgument, isKind, nowNs, parseNs } from '../base/index.ts'
import type { ContainerService } from '../containers/index.ts'
import type { EventBus } from '../events/index.ts'
import { parseUntil } from '../images/index.ts'
import type {
  EndpointRecord,
  IpamPool,
  NetworkInspect,
  NetworkRecord,
  NetworkRequest,
  Networks,
} from '../network/index.ts'
import type { NetworkBackend } from '../server/index.ts'
import { isPredefined, matchesFilters } from './network-filters.ts'

/** Networks as the API shows them. */
export function networkBackend(
  networks: Networks,
  containers: Pick<ContainerService, 'connect' | 'disconnect' | 'list'>,
  events: EventBus,
): NetworkBackend {
  const publish = (action: string, { id, name, driver }: NetworkRecord): void =>
    events.publish('network', action, id, { name, type: driver })
  const isUsed = ({ id }: NetworkRecord): boolean => networks.inspect(id).containers.length > 0
  return {
    async list(filters) {
      return networks
        .list()
        .filter((record) => matchesFilters(record, filters, 'dangling' in filters && isUsed(record)))
        .map((record) => toNetwork({ ...record, containers: [] }))
    },
    async inspect(nameOrId) {
      const record = networks.inspect(nameOrId)
      const network = toNetwork(record)
      return record.driver === 'host' ? { ...network, Containers: await hostContainers(containers) } : network
    },
    async create(body) {
      const record = await networks.create(toRequest(body))
      publish('create', record)
      return { Id: record.id, Warning: '' }
    },
    async remove(nameOrId) {
      publish('destroy', await networks.remove(nameOrId))
    },
    prune: (filters) => prune(networks, filters, (record) => publish('destroy', record), events),
    connect: async (nameOrId, container, settings) =>
      containers.connect(container, networks.inspect(nameOrId), settings),
    disconnect: async (nameOrId, container) => containers.disconnect(container, networks.inspect(nameOrId)),
  }
}

/** Containers on the host's own network: nothing is leased for these. */
async function hostContainers(containers: Pick<ContainerService, 'list'>): Promise<Network['Containers']> {
  const onHost = await containers.list({ all: false, size: false, filters: { network: ['host'] } })
  return Object.fromEntries(
    onHost.map(({ Id, Names, NetworkSettings }) => {
      const EndpointID = NetworkSettings.Networks?.host?.EndpointID ?? ''
      const Name = (Names[0] ?? '').slice(1)
      return [Id, { Name, EndpointID, MacAddress: '', IPv4Address: '', IPv6Address: '' }]
    }),
  )
}

/** Removes the networks that no container runs on and that the filters say yes to. */
async function prune(
  networks: Networks,
  { until: untils = [], ...filters }: Parameters<NetworkBackend['prune']>[0],
  tell: (removed: NetworkRecord) => void,
  events: EventBus,
): Promise<NetworksPruneResponse> {
  if (untils.length > 1) throw invalidArgument('more than one until filter specified')
  const until = untils[0] === undefined ? undefined : parseUntil(untils[0], nowNs())
  const isOld = ({ created }: NetworkRecord): boolean => until === undefined || (parseNs(created) ?? 0n) <= until
  const candidates = networks
    .list()
    .filter((record) => !isPredefined(record) && !record.configOnly && isOld(record))
    .filter((record) => matchesFilters(record, filters, false))
  const removed: string[] = []
  for (const { id, name } of candidates) {
    try {
      tell(await networks.remove(id))
      removed.push(name)
    } catch (error) {
      // In use, or removed by somebody else meanwhile.
      if (!isKind(error, 'forbidden') && !isKind(error, 'notFound')) throw error
    }
  }
  events.publish('network', 'prune', '', { reclaimed: '0' })
  return { NetworksDeleted: removed.length === 0 ? null : removed }
}

function toRequest(body: NetworkCreateBody): NetworkRequest {
  return {
    name: body.Name ?? '',
    driver: body.Driver ?? '',
    scope: body.Scope ?? '',
    internal: body.Internal ?? false,
    attachable: body.Attachable ?? false,
    ingress: body.Ingress ?? false,
    enableIpv4: body.EnableIPv4 ?? true,
    enableIpv6: body.EnableIPv6 ?? false,
    configOnly: body.ConfigOnly ?? false,
    configFrom: body.ConfigFrom?.Network ?? '',
    ipamDriver: body.IPAM?.Driver || 'default',
    ipamOptions: body.IPAM?.Options ?? null,
    ipam: (body.IPAM?.Config ?? []).map((config) => ({
      subnet: config.Subnet,
      range: config.IPRange,
      gateway: config.Gateway,
      auxiliary: config.AuxiliaryAddresses,
    })),
    options: body.Options ?? {},
    labels: body.Labels ?? {},
  }
}

function toNetwork(record: NetworkInspect): Network {
  return {
    Name: record.name,
    Id: record.id,
    Created: record.created,
    Scope: 'local',
    Driver: record.driver,
    EnableIPv4: record.enableIpv4,
    EnableIPv6: record.enableIpv6,
    IPAM: {
      Driver: record.ipamDriver,
      Options: record.ipamOptions,
      Config: record.ipam.map(toIpamConfig),
    },
    Internal: record.internal,
    Attachable: record.attachable,
    Ingress: false,
    ConfigFrom: { Network: record.configFrom },
    ConfigOnly: record.configOnly,
    Containers: Object.fromEntries(record.containers.map((endpoint) => [endpoint.containerId, toContainer(endpoint)])),
    Options: record.options,
    Labels: record.labels,
  }
}

function toIpamConfig({ subnet, range, gateway, auxiliary }: IpamPool): IpamConfig {
  return {
    Subnet: subnet,
    ...(range === undefined ? {} : { IPRange: range }),
    ...(gateway === '' ? {} : { Gateway: gateway }),
    ...(auxiliary === undefined ? {} : { AuxiliaryAddresses: auxiliary }),
  }
}

function toContainer(endpoint: EndpointRecord): Network['Containers'][string] {
  return {
    Name: endpoint.containerName,
    EndpointID: endpoint.endpointId,
    MacAddress: endpoint.mac,
    IPv4Address: endpoint.ipv4 === '' ? '' : `${endpoint.ipv4}/${endpoint.prefix}`,
    IPv6Address: endpoint.ipv6 === '' ? '' : `${endpoint.ipv6}/${endpoint.prefix6}`,
  }
}
