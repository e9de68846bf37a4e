export { ConfigSource, type DaemonConfig, type LogLevel, loadDaemonConfig, type TlsConfig } from './daemon-config.ts'
export { daemonHelp } from './daemon-options.ts'
export { type RegistriesConfig, registriesConfig } from './registries-config.ts'
export { type ListenAddress, parseBytes, type UlimitDefault } from './values.ts'
