export { EmbeddedDns } from './dns/index.ts'
export { macAddress } from './endpoint-plan.ts'
export { formatHosts, type HostsOptions, ownNames } from './hosts-file.ts'
export type { NamedEndpoint, NamedSandbox, NameService, UpstreamServer } from './name-service.ts'
export type { LinkPermit } from './network-record.ts'
export {
  type DriverName,
  type EndpointInfo,
  type EndpointRecord,
  type EndpointRequest,
  hasNames,
  type IpamPool,
  type NetworkInspect,
  type NetworkRecord,
  type PortRequest,
  type Protocol,
  type PublishedPort,
  type Sandbox,
  type SandboxRequest,
} from './network-record.ts'
export type { IpamRequest, NetworkRequest } from './network-request.ts'
export { Networks, type NetworksOptions } from './networks.ts'
export type { NetworkConfig } from './predefined.ts'
export { isRoutedPort } from './publication.ts'
export { formatResolvConf, parseResolvConf, type ResolvConfOptions, readHostResolvConf } from './resolv-conf.ts'
export { Sandboxes, type SandboxOwner } from './sandboxes.ts'
export type { AddressRange } from './subnet-choice.ts'
