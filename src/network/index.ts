export { EmbeddedDns } from './dns/index.ts'
export type { UpstreamServer } from './dns/name-service.ts'
export type { NetworkConfig } from './ipam/predefined.ts'
export { missingFeatures } from './kernel-support.ts'
export { type NetworkMembers, networkService } from './network-service.ts'
export { Networks } from './networks.ts'
export type { NetworkRequest } from './plan/network-request.ts'
export { isRoutedPort } from './ports/publication.ts'
export { formatHosts, ownNames } from './record/hosts-file.ts'
export type {
  EndpointInfo,
  EndpointRequest,
  LinkPermit,
  NetworkRecord,
  PortRequest,
  Protocol,
  Sandbox,
  SandboxRequest,
} from './record/network-record.ts'
export { formatResolvConf, parseResolvConf, readHostResolvConf } from './record/resolv-conf.ts'
export { macAddress } from './sandbox/endpoint-plan.ts'
export type { SandboxOwner } from './sandbox/sandboxes.ts'
