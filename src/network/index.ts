export { EmbeddedDns } from './dns/index.ts'
export type { NamedEndpoint, NamedSandbox, NameService, UpstreamServer } from './dns/name-service.ts'
export type { NetworkConfig } from './ipam/predefined.ts'
export type { AddressRange } from './ipam/subnet-choice.ts'
export { type NetworkMembers, networkService } from './network-service.ts'
export { Networks, type NetworksOptions } from './networks.ts'
export type { IpamRequest, NetworkRequest } from './plan/network-request.ts'
export { isRoutedPort } from './ports/publication.ts'
export { formatHosts, type HostsOptions, ownNames } from './record/hosts-file.ts'
export type { LinkPermit } from './record/network-record.ts'
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
} from './record/network-record.ts'
export { formatResolvConf, parseResolvConf, type ResolvConfOptions, readHostResolvConf } from './record/resolv-conf.ts'
export { macAddress } from './sandbox/endpoint-plan.ts'
export { Sandboxes, type SandboxOwner } from './sandbox/sandboxes.ts'
