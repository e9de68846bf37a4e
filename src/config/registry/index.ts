export type { RegistryConfig, RegistryPlace, RegistryProxy, RegistryTls } from './registry-config.ts'
export { defaultRegistryConfig, loadRegistryConfig, parseRegistryAddress } from './registry-file.ts'
