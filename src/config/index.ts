export type { SpaceLimit } from './builder-config.ts'
export type { ContainerDefaults } from './containers-config.ts'
export { ConfigSource, type DaemonConfig, engineConfig, type LogLevel, withRoots } from './daemon-config.ts'
export type { NameLookupDefaults } from './network-config.ts'
export { daemonHelp } from './options/daemon-help.ts'
export { type ListenAddress, parseBytes, sizeInBytes } from './options/values.ts'
export { registriesConfig } from './registries-config.ts'
export { type ServiceManagerEnvironment, takeServiceManagerEnvironment } from './service-manager-environment.ts'
export { isLoopbackAddress, type TcpAccess, tcpAccess } from './tcp-access.ts'
export {
  type AccountFiles,
  defaultRemapUser,
  freeSubordinateStart,
  hasSubordinateIds,
  parseUserRemap,
  type UserRemap,
} from './user-remap.ts'
