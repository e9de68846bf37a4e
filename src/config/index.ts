export { type ClientFile, type ClientFlags, type ClientSettings, type ClientTls, defaultHost, loadClientSettings } from './client-config.ts'
export { type DaemonConfig, type LogLevel, loadDaemonConfig, type TlsConfig } from './daemon-config.ts'
export { daemonHelp } from './daemon-options.ts'
export { type ListenAddress, parseBytes, type UlimitDefault } from './values.ts'
