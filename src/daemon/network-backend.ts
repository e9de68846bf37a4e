import type { Network } from '../api/index.ts'
import { invalidArgument } from '../base/index.ts'
import type { NetworkInspect, NetworkRecord, Networks } from '../network/index.ts'
import type { NetworkBackend } from '../server/index.ts'

/** Networks as the API shows them. */
export function networkBackend(networks: Networks): NetworkBackend {
  return {
    async list(filters) {
      return networks
        .list()
        .filter((record) => Object.entries(filters).every(([key, values]) => matches(record, key, values)))
        .map((record) => toNetwork({ ...record, containers: [] }))
    },
    async inspect(nameOrId) {
      return toNetwork(networks.inspect(nameOrId))
    },
  }
}

function matches(record: NetworkRecord, key: string, values: readonly string[]): boolean {
  if (values.length === 0) return true
  switch (key) {
    case 'id':
      return values.some((value) => record.id.startsWith(value))
    case 'name':
      return values.some((value) => record.name.includes(value))
    case 'driver':
      return values.includes(record.driver)
    case 'type':
      return values.includes('builtin')
    case 'scope':
      return values.includes('local')
    case 'dangling':
      return values.some((value) => value === 'false' || value === '0')
    case 'label':
      return values.every((value) => {
        const [name = '', ...rest] = value.split('=')
        return rest.length === 0 ? name in record.labels : record.labels[name] === rest.join('=')
      })
    default:
      throw invalidArgument(`invalid filter '${key}'`)
  }
}

function toNetwork(record: NetworkInspect): Network {
  return {
    Name: record.name,
    Id: record.id,
    Created: record.created,
    Scope: 'local',
    Driver: record.driver,
    EnableIPv4: true,
    EnableIPv6: record.enableIpv6,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: record.ipam.map(({ subnet, gateway }) => ({ Subnet: subnet, Gateway: gateway })),
    },
    Internal: record.internal,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(
      record.containers.map((endpoint) => [
        endpoint.containerId,
        {
          Name: endpoint.containerName,
          EndpointID: endpoint.endpointId,
          MacAddress: endpoint.mac,
          IPv4Address: endpoint.ipv4 === '' ? '' : `${endpoint.ipv4}/${endpoint.prefix}`,
          IPv6Address: '',
        },
      ]),
    ),
    Options: record.options,
    Labels: record.labels,
  }
}
