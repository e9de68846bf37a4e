/** What is persisted of networks and of containers' membership in them. */

/** A network: one row. Frozen plain data. */
export interface NetworkRecord {
  readonly version: 1
  readonly id: string
  readonly name: string
  readonly driver: 'bridge' | 'host' | 'null'
  readonly created: string
  readonly internal: boolean
  readonly enableIpv6: boolean
  /** Address ranges with their gateways; empty for `host` and `none`. */
  readonly ipam: readonly { readonly subnet: string; readonly gateway: string }[]
  /** Options by their Docker names (`com.docker.network.bridge.name`, …). */
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  /** The bridge's device; only with driver `bridge`. */
  readonly bridge?: { readonly device: string; readonly mac: string; readonly mtu: number; readonly icc: boolean }
}

/** A container's membership in a network: one row, written before anything is made in the kernel. */
export interface EndpointRecord extends EndpointInfo {
  readonly version: 1
  readonly containerId: string
  readonly containerName: string
  readonly sandboxId: string
  /** The near end of the veth pair; '' when the network has no device. */
  readonly veth: string
}

/** An endpoint as callers see it. Addresses are '' on networks without any (`none`). */
export interface EndpointInfo {
  readonly networkId: string
  readonly networkName: string
  readonly endpointId: string
  readonly ipv4: string
  readonly prefix: number
  readonly gateway: string
  readonly mac: string
  readonly aliases: readonly string[]
  readonly dnsNames: readonly string[]
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
  /** '' for the daemon's default address (0.0.0.0 usually). */
  readonly hostIp: string
  /** 0 for a random one. */
  readonly hostPort: number
  /** Last port of a range to choose the first free one from. */
  readonly hostPortEnd?: number
}

/** What a container needs of the network. */
export interface SandboxRequest {
  readonly containerId: string
  /** The container's name without slash. */
  readonly name: string
  readonly hostname: string
  /** Name or id of a network: `bridge` (also `default`), `none`. */
  readonly mode: string
  readonly ports: readonly PortRequest[]
  readonly macAddress?: string | undefined
  readonly ipv4?: string | undefined
  readonly aliases?: readonly string[] | undefined
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
