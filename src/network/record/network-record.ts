/** What is persisted of networks and of containers' membership in them. */

import type { UpstreamServer } from '../dns/name-service.ts'
import type { BridgeSettings } from './bridge-options.ts'
import type { ParentSettings } from './parent-options.ts'

export type DriverName = 'bridge' | 'host' | 'null' | 'macvlan' | 'ipvlan'

/** An address range of a network. */
export interface IpamPool {
  readonly subnet: string
  /** The part of the subnet from which addresses are chosen. */
  readonly range?: string
  /** The host's own address on a bridge, the router's on other networks; '' for none. */
  readonly gateway: string
  /** Where containers' default route leads, when not to the gateway. */
  readonly router?: string
  /** Names and addresses that are never given to a container. */
  readonly auxiliary?: Readonly<Record<string, string>>
  /** The engine chose it: containers can't ask for certain addresses of it. */
  readonly chosen?: boolean
}

/** A network: one row. Frozen plain data. */
export interface NetworkRecord {
  readonly version: 1
  readonly id: string
  readonly name: string
  readonly driver: DriverName
  readonly created: string
  readonly internal: boolean
  readonly attachable: boolean
  readonly enableIpv4: boolean
  readonly enableIpv6: boolean
  /** Holds a configuration for others, and has no device. */
  readonly configOnly: boolean
  /** Name of the network that the configuration was taken from; '' for none. */
  readonly configFrom: string
  readonly ipamDriver: string
  /** Null when none were given. */
  readonly ipamOptions: Readonly<Record<string, string>> | null
  /** Address ranges, IPv4 first; empty for `host` and `none`. */
  readonly ipam: readonly IpamPool[]
  /** Options by their Docker names (`com.docker.network.bridge.name`, …), as they were given. */
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  /** Only with driver `bridge`, once the device was made. */
  readonly bridge?: BridgeSettings
  /** Only with drivers `macvlan` and `ipvlan`. */
  readonly parent?: ParentSettings
}

/** A container's membership in a network: one row, written before anything is made in the kernel. */
export interface EndpointRecord extends EndpointInfo {
  readonly version: 1
  readonly containerId: string
  readonly containerName: string
  readonly sandboxId: string
  /** The near end of the veth pair; '' when the network has no device. */
  readonly veth: string
  /** `net.ipv4.conf.IFNAME.…=value`, set on the device. */
  readonly sysctls: readonly string[]
}

/** An endpoint as callers see it. Addresses are '' where the network has none of that family. */
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
  /** Further addresses of the device, with prefix length. */
  readonly linkLocal: readonly string[]
  readonly mac: string
  /** Name of the device inside; '' when the network has none. */
  readonly device: string
  /** Of the gateways of a container, the one with the highest number is the default. */
  readonly gatewayPriority: number
  readonly aliases: readonly string[]
  readonly dnsNames: readonly string[]
  /** `target:alias` pairs. */
  readonly links: readonly string[]
}

export type Protocol = 'tcp' | 'udp' | 'sctp'

/** A port of the container that the host answers on. */
export interface PublishedPort {
  readonly protocol: Protocol
  readonly containerPort: number
  readonly hostIp: string
  readonly hostPort: number
}

/** A port to be published. */
export interface PortRequest {
  readonly protocol: Protocol
  readonly containerPort: number
  /** '' for the network's or the daemon's default address (all addresses usually). */
  readonly hostIp: string
  /** 0 for a random one. */
  readonly hostPort: number
  /** Last port of a range to choose the first free one from. */
  readonly hostPortEnd?: number
}

/** How a container is to join a network. */
export interface EndpointRequest {
  /** Name or id of the network. */
  readonly network: string
  readonly ipv4?: string | undefined
  readonly ipv6?: string | undefined
  readonly linkLocal?: readonly string[] | undefined
  readonly macAddress?: string | undefined
  readonly aliases?: readonly string[] | undefined
  readonly links?: readonly string[] | undefined
  readonly driverOptions?: Readonly<Record<string, string>> | undefined
  readonly gatewayPriority?: number | undefined
}

/** A port of another container that one may reach where containers of a bridge don't reach each other. */
export interface LinkPermit {
  /** Id of the other container. */
  readonly target: string
  readonly protocol: Protocol
  readonly containerPort: number
}

/** What a container needs of the network. */
export interface SandboxRequest {
  readonly containerId: string
  /** The container's name without slash. */
  readonly name: string
  readonly hostname: string
  /** The networks to join; the first one gets the first device. */
  readonly endpoints: readonly EndpointRequest[]
  readonly ports: readonly PortRequest[]
  /** Gives the name servers to ask for names that no container has; called when a network has names at all. */
  readonly upstream?: () => readonly UpstreamServer[]
  /** A process's own network namespace (its path in /proc), which is used in place of a new one. */
  readonly namespace?: string
}

/** A container's network: its namespace, the endpoints in it and its published ports. */
export interface Sandbox {
  readonly containerId: string
  readonly sandboxId: string
  /** The file that keeps the network namespace. */
  readonly netnsPath: string
  readonly endpoints: readonly EndpointInfo[]
  readonly ports: readonly PublishedPort[]
}

/** A network with the containers on it. */
export interface NetworkInspect extends NetworkRecord {
  readonly containers: readonly EndpointRecord[]
}

/** A record with the members that earlier versions didn't write. */
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

/** An endpoint with the members that earlier versions didn't write. */
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

/** True for networks on which containers find each other by name: all but the default bridge, `host` and `none`. */
export function hasNames({ name, driver }: Pick<NetworkRecord, 'name' | 'driver'>): boolean {
  return name !== 'bridge' && driver !== 'host' && driver !== 'null'
}
