export { chainId, chainIds, nextChainId } from './chain-id.ts'
export { type Descriptor, isObject, parseDescriptor } from './descriptor.ts'
export {
  algorithmOf,
  type Digest,
  type DigestAlgorithm,
  digestFromHex,
  digestOf,
  hexOf,
  isDigest,
  isDigestOf,
  parseDigest,
} from './digest.ts'
export { containerIdOf, hostIdOf, type IdMappings, type OciIdMapping } from './id-map.ts'
export {
  type OciHealthcheck,
  type OciHistoryEntry,
  type OciImageConfig,
  type OciRuntimeDefaults,
  parseImageConfig,
  platformOfConfig,
} from './image-config.ts'
export {
  formatManifest,
  type ImageIndex,
  type Manifest,
  type ManifestDocument,
  parseManifestDocument,
  schema1Refused,
} from './manifest.ts'
export {
  acceptedManifestTypes,
  isConfigType,
  isIndexType,
  isLayerType,
  isManifestType,
  isSchema1Type,
  mediaTypes,
} from './media-types.ts'
export {
  bestPlatform,
  formatPlatform,
  hostPlatform,
  normalizePlatform,
  type Platform,
  parsePlatform,
  parsePlatformObject,
  platformRank,
} from './platform.ts'
export {
  defaultRegistry,
  defaultTag,
  familiarName,
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
  withDigest,
  withTag,
} from './reference.ts'
export type {
  OciBlockDevice,
  OciBlockIo,
  OciCapabilities,
  OciDevice,
  OciDeviceRule,
  OciHook,
  OciLinux,
  OciMount,
  OciNamespace,
  OciNamespaceType,
  OciProcess,
  OciResources,
  OciRlimit,
  OciSeccomp,
  OciSeccompArgument,
  OciSeccompRule,
  OciSpec,
  OciThrottle,
  OciUser,
} from './runtime-spec.ts'
