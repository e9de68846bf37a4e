/** The verbs of networks, as the API server and embedders call them. */
import type { EndpointSettings, Filters, Network, NetworksPruneResponse } from '../api/index.ts'
import { isKind, nowNs, parseNs } from '../base/index.ts'
import { type NetworkBackend, untilFilter } from '../contract/index.ts'
import type { EventBus } from '../events/index.ts'
import type { Networks } from './networks.ts'
import type { NetworkRecord } from './record/network-record.ts'
import { isPredefined, matchesFilters } from './service/network-filters.ts'
import { toNetwork, toRequest } from './service/network-wire.ts'

/** Containers, as far as the verbs of networks concern them. `container` is an id, a unique prefix of an id, or a name. */
export interface NetworkMembers {
  /** Throws `forbidden` when it is on the network already. */
  connect(container: string, network: NetworkRecord, settings: EndpointSettings): Promise<void>
  /** Throws `forbidden` when it is not on the network. */
  disconnect(container: string, network: NetworkRecord): Promise<void>
  /** The running containers on the host's own network, by id. */
  onHost(): Promise<Network['Containers']>
}

/** Makes the verbs; the events of networks are published on `events`. */
export function networkService(networks: Networks, members: NetworkMembers, events: EventBus): NetworkBackend {
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
      return record.driver === 'host' ? { ...network, Containers: await members.onHost() } : network
    },
    async create(body) {
      const record = await networks.create(toRequest(body))
      publish('create', record)
      return { Id: record.id, Warning: '' }
    },
    async remove(nameOrId) {
      publish('destroy', await networks.remove(nameOrId))
    },
    async prune(filters) {
      const pruned = await prune(networks, filters, (record) => publish('destroy', record))
      events.publish('network', 'prune', '', { reclaimed: '0' })
      return pruned
    },
    connect: async (nameOrId, container, settings) => members.connect(container, networks.inspect(nameOrId), settings),
    disconnect: async (nameOrId, container) => members.disconnect(container, networks.inspect(nameOrId)),
  }
}

/** Removes the networks that no container is on and that match the filters. */
async function prune(
  networks: Networks,
  { until: untils = [], ...filters }: Filters,
  onRemoved: (removed: NetworkRecord) => void,
): Promise<NetworksPruneResponse> {
  const until = untilFilter({ until: untils }, nowNs())
  const isOld = ({ created }: NetworkRecord): boolean => until === undefined || (parseNs(created) ?? 0n) <= until
  const candidates = networks
    .list()
    .filter((record) => !isPredefined(record) && !record.configOnly && isOld(record))
    .filter((record) => matchesFilters(record, filters, false))
  const removed: string[] = []
  for (const { id, name } of candidates) {
    try {
      onRemoved(await networks.remove(id))
      removed.push(name)
    } catch (error) {
      // It is in use, or another client has removed it meanwhile.
      if (!isKind(error, 'forbidden') && !isKind(error, 'notFound')) throw error
    }
  }
  return { NetworksDeleted: removed.length === 0 ? null : removed }
}
