export type {
  ForeignTokens,
  OwnTokens,
  RegistryAction,
  RegistryAddress,
  RegistryAuth,
  RegistryBucket,
  RegistryConfig,
  RegistryPlace,
  RegistryProxy,
  RegistryRule,
  RegistryTls,
} from './registry-config.ts'
export {
  defaultRegistryConfig,
  loadRegistryConfig,
  parseRegistryAddress,
  parseRegistryConfig,
  parseRegistrySettings,
} from './registry-file.ts'
