export { formatHosts, type HostsOptions } from './hosts-file.ts'
export type {
  EndpointInfo,
  EndpointRecord,
  NetworkInspect,
  NetworkRecord,
  PortRequest,
  Protocol,
  PublishedPort,
  Sandbox,
  SandboxRequest,
} from './network-record.ts'
export { Networks, type NetworksOptions } from './networks.ts'
export type { NetworkConfig } from './predefined.ts'
export { formatResolvConf, parseResolvConf, type ResolvConfOptions, readHostResolvConf } from './resolv-conf.ts'
