export type { BuilderConfig, CacheRule, SpaceLimit } from './builder-config.ts'
export type { ContainerDefaults } from './containers-config.ts'
export {
  ConfigSource,
  type DaemonConfig,
  engineConfig,
  type LogLevel,
  type TlsConfig,
  withRoots,
} from './daemon-config.ts'
export { daemonHelp } from './daemon-help.ts'
export type { NameLookupDefaults } from './network-config.ts'
export { type RegistriesConfig, registriesConfig } from './registries-config.ts'
export { type ServiceManagerEnvironment, takeServiceManagerEnvironment } from './service-manager-environment.ts'
export {
  type AccountFiles,
  defaultRemapUser,
  freeSubordinateStart,
  hasSubordinateIds,
  parseUserRemap,
  type UserRemap,
} from './user-remap.ts'
export { type ListenAddress, parseBytes, sizeInBytes, type UlimitDefault } from './values.ts'
