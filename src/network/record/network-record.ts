/** The stored records of networks and of containers' membership in them, and the requests that lead to them. */

import type { UpstreamServer } from '../dns/name-service.ts'
import type { BridgeSettings } from './bridge-options.ts'
import type { ParentSettings } from './parent-options.ts'

/** Docker's names of the drivers; the network `none` has driver `null`. */
export type DriverName = 'bridge' | 'host' | 'null' | 'macvlan' | 'ipvlan'

/** An address range of a network. */
export interface IpamPool {
  /** In CIDR form, host bits zero. */
  readonly subnet: string
  /** The part of the subnet from which addresses are chosen. */
  readonly range?: string
  /** On a bridge the host's own address, on other networks the router's; '' for none. */
  readonly gateway: string
  /** Target of containers' default route, if it is not the gateway. */
  readonly router?: string
  /** Addresses by name that no container gets. */
  readonly auxiliary?: Readonly<Record<string, string>>
  /** The engine chose the range, so containers can't request particular addresses in it. */
  readonly chosen?: boolean
}

/** A network: one row of the database. Frozen plain data. */
export interface NetworkRecord {
  readonly version: 1
  readonly id: string
  readonly name: string
  readonly driver: DriverName
  /** RFC 3339. */
  readonly created: string
  /** Without a way to other networks. */
  readonly internal: boolean
  readonly attachable: boolean
  readonly enableIpv4: boolean
  readonly enableIpv6: boolean
  /** A template for other networks, without a device. */
  readonly configOnly: boolean
  /** Name of the configuration network that this one was made from; '' for none. */
  readonly configFrom: string
  readonly ipamDriver: string
  /** Null if none were given. */
  readonly ipamOptions: Readonly<Record<string, string>> | null
  /** Address ranges, IPv4 first; empty for `host` and `none`. */
  readonly ipam: readonly IpamPool[]
  /** Options by their Docker names (`com.docker.network.bridge.name`, …), as they were given. */
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  /** Only with driver `bridge`, after the device was made. */
  readonly bridge?: BridgeSettings
  /** Only with drivers `macvlan` and `ipvlan`. */
  readonly parent?: ParentSettings
}

/** A container's membership in a network: one row, written before its device is made. */
export interface EndpointRecord extends EndpointInfo {
  readonly version: 1
  readonly containerId: string
  readonly containerName: string
  readonly sandboxId: string
  /** Name of the host's end of the veth pair; '' without one. */
  readonly veth: string
  /** `net.ipv4.conf.IFNAME.…=value`, set on the device. */
  readonly sysctls: readonly string[]
}

/** An endpoint as callers see it. Addresses are '' if the network has none of that family. */
export interface EndpointInfo {
  readonly networkId: string
  readonly networkName: string
  readonly endpointId: string
  readonly ipv4: string
  readonly prefix: number
  readonly gateway: string
  readonly ipv6: string
  readonly prefix6: number
  readonly gateway6: string
  /** Link-local addresses of the device, in CIDR form. */
  readonly linkLocal: readonly string[]
  readonly mac: string
  /** Name of the device in the container; '' if the network has no devices. */
  readonly device: string
  /** The gateway with the highest number becomes the container's default route. */
  readonly gatewayPriority: number
  readonly aliases: readonly string[]
  /** All names under which the DNS knows the endpoint, the container's name first. */
  readonly dnsNames: readonly string[]
  /** `target:alias`, or `target` alone. */
  readonly links: readonly string[]
}

/** Protocols of published ports. */
export type Protocol = 'tcp' | 'udp' | 'sctp'

/** A port of a container that is published on an address and port of the host. */
export interface PublishedPort {
  readonly protocol: Protocol
  readonly containerPort: number
  /** `0.0.0.0` and `::` for all addresses; the container's own address for a routed port. */
  readonly hostIp: string
  readonly hostPort: number
}

/** A port to publish. */
export interface PortRequest {
  readonly protocol: Protocol
  readonly containerPort: number
  /** '' for the default address of the network or the daemon, usually all addresses. */
  readonly hostIp: string
  /** 0 for a random one. */
  readonly hostPort: number
  /** Last port of a range that begins with `hostPort`. The first free port of the range is taken. */
  readonly hostPortEnd?: number
}

/** How a container joins a network. */
export interface EndpointRequest {
  /** Name or id of the network. */
  readonly network: string
  /** The wanted addresses. Default: the next free ones. */
  readonly ipv4?: string | undefined
  readonly ipv6?: string | undefined
  /** Additional addresses, without prefix length. */
  readonly linkLocal?: readonly string[] | undefined
  readonly macAddress?: string | undefined
  readonly aliases?: readonly string[] | undefined
  readonly links?: readonly string[] | undefined
  /** By Docker's names: `com.docker.network.endpoint.ifname` and `….sysctls`. */
  readonly driverOptions?: Readonly<Record<string, string>> | undefined
  readonly gatewayPriority?: number | undefined
}

/** Allows a connection to a port of another container on the default bridge while `icc` is off. */
export interface LinkPermit {
  /** Id of the other container. */
  readonly target: string
  readonly protocol: Protocol
  readonly containerPort: number
}

/** The network that a container needs. */
export interface SandboxRequest {
  readonly containerId: string
  /** The container's name, without the leading slash. */
  readonly name: string
  readonly hostname: string
  /** The networks to join. The order of devices in the container is the same. */
  readonly endpoints: readonly EndpointRequest[]
  readonly ports: readonly PortRequest[]
  /** Gives the name servers for names outside. Called only for containers on networks with names. */
  readonly upstream?: () => readonly UpstreamServer[]
  /** Path in /proc of a process's network namespace, to be used in place of a new one. */
  readonly namespace?: string
}

/** A container's network: its namespace, the endpoints in it and its published ports. */
export interface Sandbox {
  readonly containerId: string
  readonly sandboxId: string
  /** The file on which the network namespace is mounted. */
  readonly netnsPath: string
  readonly endpoints: readonly EndpointInfo[]
  readonly ports: readonly PublishedPort[]
}

/** A network with the endpoints of the containers on it. */
export interface NetworkInspect extends NetworkRecord {
  readonly containers: readonly EndpointRecord[]
}

/** Adds the members that earlier versions of Berth didn't write. */
export function completeNetworkRecord(stored: Partial<NetworkRecord>): NetworkRecord {
  const later = {
    attachable: false,
    enableIpv4: true,
    configOnly: false,
    configFrom: '',
    ipamDriver: 'default',
    ipamOptions: null,
  }
  return Object.freeze({ ...later, ...stored } as NetworkRecord)
}

/** Adds the members that earlier versions of Berth didn't write. */
export function completeEndpointRecord(stored: Partial<EndpointRecord>): EndpointRecord {
  const later = {
    ipv6: '',
    prefix6: 0,
    gateway6: '',
    linkLocal: [],
    device: stored.veth === '' ? '' : 'eth0',
    gatewayPriority: 0,
    links: [],
    sysctls: [],
  }
  return Object.freeze({ ...later, ...stored } as EndpointRecord)
}

/** True for networks whose containers find each other by name: all but the default bridge, `host` and `none`. */
export function hasNames({ name, driver }: Pick<NetworkRecord, 'name' | 'driver'>): boolean {
  return name !== 'bridge' && driver !== 'host' && driver !== 'null'
}
