export * from './auth/index.ts'
export {
  type AccessAction,
  type AccessDecision,
  type AccessRequest,
  type AccessScope,
  type Authorizer,
  openAccess,
} from './authorizer.ts'
export { type BlobDigest, blobDigestOf, type DigestAlgorithm, findBlobDigest } from './blob-digest.ts'
export { BlobLibrary } from './blob-library.ts'
export { type ProxyOptions, PullThroughCache } from './cache/index.ts'
export { createRegistry, type Registry } from './create-registry.ts'
export type { LocalContents } from './local-source.ts'
export { type ManifestDocument, type ManifestPart, parseManifest } from './manifest-document.ts'
export { ManifestLibrary, type PutManifest, type PutResult } from './manifest-library.ts'
export type {
  FindOptions,
  ManifestReference,
  NamePage,
  PullSource,
  StoredBlob,
  StoredManifest,
} from './pull-source.ts'
export { RegistryError, type RegistryErrorCode } from './registry-error.ts'
export type { ExtensionAnswer, ExtensionRequest, RegistryExtension } from './registry-extension.ts'
export type { RegistryLimits } from './registry-limits.ts'
export type { ListenAddress, RegistryListener } from './registry-listener.ts'
export type { GarbageReport, ManifestUse, RegistryObserver, RequestRecord, RouteName } from './registry-observer.ts'
export type { RegistryOptions } from './registry-options.ts'
export { isRepositoryName, isTag } from './repository-name.ts'
export { FolderStorage } from './storage/folder-storage.ts'
export type {
  AppendOptions,
  ByteRange,
  ListOptions,
  ListPage,
  ObjectInfo,
  ObjectStorage,
  RegistryStorage,
  UploadInfo,
  UploadPage,
  UploadStorage,
  WriteOptions,
} from './storage/registry-storage.ts'
export type { S3Options } from './storage/s3-bucket.ts'
export { S3Storage } from './storage/s3-storage.ts'
export { dataLoss, digestMismatch, offsetMismatch, uploadBusy, uploadUnknown } from './storage/storage-errors.ts'
export * from './surroundings/index.ts'
