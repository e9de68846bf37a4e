import type { Optional, StringMap } from './optional.ts'

/** A container's membership in a network. The client sends the members up to `GwPriority`; the engine adds the rest. */
export type EndpointSettings = Optional<{
  IPAMConfig: EndpointIPAMConfig
  Links: readonly string[]
  Aliases: readonly string[]
  MacAddress: string
  DriverOpts: StringMap
  GwPriority: number
  NetworkID: string
  EndpointID: string
  Gateway: string
  IPAddress: string
  IPPrefixLen: number
  IPv6Gateway: string
  GlobalIPv6Address: string
  GlobalIPv6PrefixLen: number
  DNSNames: readonly string[]
}>

/** Addresses that a client asks for. */
export type EndpointIPAMConfig = Optional<{
  IPv4Address: string
  IPv6Address: string
  LinkLocalIPs: readonly string[]
}>

/** How a new container joins its networks, by network name. */
export type NetworkingConfig = Optional<{ EndpointsConfig: Readonly<Record<string, EndpointSettings | null>> }>
