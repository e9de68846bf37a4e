import type { EndpointSettings } from './endpoints.ts'
import type { Optional, StringMap } from './optional.ts'

/** Result of `GET /networks/{id}`, and of `GET /networks` with an empty `Containers`. */
export interface Network {
  readonly Name: string
  readonly Id: string
  readonly Created: string
  readonly Scope: string
  readonly Driver: string
  readonly EnableIPv4: boolean
  readonly EnableIPv6: boolean
  readonly IPAM: Ipam
  readonly Internal: boolean
  readonly Attachable: boolean
  readonly Ingress: boolean
  readonly ConfigFrom: { readonly Network: string }
  readonly ConfigOnly: boolean
  readonly Containers: Readonly<Record<string, NetworkContainer>>
  readonly Options: StringMap
  readonly Labels: StringMap
}

/** Address management of a network. */
export interface Ipam {
  readonly Driver: string
  readonly Options: StringMap | null
  readonly Config: readonly IpamConfig[]
}

/** One address range of a network, in CIDR notation. */
export interface IpamConfig {
  readonly Subnet?: string | undefined
  readonly IPRange?: string | undefined
  readonly Gateway?: string | undefined
  readonly AuxiliaryAddresses?: StringMap | undefined
}

/** A container on a network. Addresses have their prefix length. */
export interface NetworkContainer {
  readonly Name: string
  readonly EndpointID: string
  readonly MacAddress: string
  readonly IPv4Address: string
  readonly IPv6Address: string
}

/** Body of `POST /networks/create`. */
export type NetworkCreateBody = Optional<{
  Name: string
  CheckDuplicate: boolean
  Driver: string
  Scope: string
  EnableIPv4: boolean
  EnableIPv6: boolean
  IPAM: Optional<{ Driver: string; Options: StringMap; Config: readonly IpamConfig[] }>
  Internal: boolean
  Attachable: boolean
  Ingress: boolean
  ConfigOnly: boolean
  ConfigFrom: Optional<{ Network: string }>
  Options: StringMap
  Labels: StringMap
}>

/** Body of `POST /networks/{id}/connect`. */
export type NetworkConnectBody = Optional<{ Container: string; EndpointConfig: EndpointSettings }>

/** Body of `POST /networks/{id}/disconnect`. */
export type NetworkDisconnectBody = Optional<{ Container: string; Force: boolean }>

/** Result of `POST /networks/prune`: names; null when nothing was removed. */
export interface NetworksPruneResponse {
  readonly NetworksDeleted: readonly string[] | null
}

/** Result of `POST /networks/create`. */
export interface NetworkCreateResponse {
  readonly Id: string
  readonly Warning: string
}
