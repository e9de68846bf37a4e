import type { Optional, StringMap } from './optional.ts'

/** A container's membership in a network. The client fills the upper part when it creates, the engine the rest. */
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

export type EndpointIPAMConfig = Optional<{
  IPv4Address: string
  IPv6Address: string
  LinkLocalIPs: readonly string[]
}>

/** Network name → how to join it. */
export type NetworkingConfig = Optional<{ EndpointsConfig: Readonly<Record<string, EndpointSettings | null>> }>
