/** Networks in Docker's wire form, both ways. Pure. */
import type { IpamConfig, Network, NetworkCreateBody } from '../../api/index.ts'
import type { NetworkRequest } from '../plan/network-request.ts'
import type { EndpointRecord, IpamPool, NetworkInspect } from '../record/network-record.ts'

/** The request of `POST /networks/create`, with Docker's defaults for fields that are absent. Not validated. */
export function toRequest(body: NetworkCreateBody): NetworkRequest {
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

/** A network as `GET /networks/{id}` shows it. */
export function toNetwork(record: NetworkInspect): Network {
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
