export * from './auth/index.ts'
export { type ProxyOptions, PullThroughCache } from './cache/index.ts'
export { createRegistry, type Registry } from './create-registry.ts'
export type { ListenAddress, RegistryListener } from './http/registry-listener.ts'
export { BlobLibrary } from './library/blob-library.ts'
export type { LocalContents } from './library/local-source.ts'
export { ManifestLibrary, type PutManifest, type PutResult } from './library/manifest-library.ts'
export type {
  FindOptions,
  ManifestReference,
  NamePage,
  PullSource,
  StoredBlob,
  StoredManifest,
} from './library/pull-source.ts'
export {
  type AccessAction,
  type AccessDecision,
  type AccessRequest,
  type AccessScope,
  type Authorizer,
  openAccess,
} from './model/authorizer.ts'
export { type BlobDigest, blobDigestOf, type DigestAlgorithm, findBlobDigest } from './model/blob-digest.ts'
export { type ManifestDocument, type ManifestPart, parseManifest } from './model/manifest-document.ts'
export { RegistryError, type RegistryErrorCode } from './model/registry-error.ts'
export type { ExtensionAnswer, ExtensionRequest, RegistryExtension } from './model/registry-extension.ts'
export type { RegistryLimits } from './model/registry-limits.ts'
export type {
  GarbageReport,
  ManifestUse,
  RegistryObserver,
  RequestRecord,
  RouteName,
} from './model/registry-observer.ts'
export { isRepositoryName, isTag } from './model/repository-name.ts'
export type { RegistryOptions } from './registry-options.ts'
export { FolderStorage } from './storage/folder/folder-storage.ts'
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
export type { S3Options } from './storage/s3/s3-connection.ts'
export { S3Storage } from './storage/s3/s3-storage.ts'
export { dataLoss, digestMismatch, offsetMismatch, uploadBusy, uploadUnknown } from './storage/storage-errors.ts'
export * from './surroundings/index.ts'
