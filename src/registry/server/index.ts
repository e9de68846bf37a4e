export {
  type AccessAction,
  type AccessDecision,
  type AccessRequest,
  type AccessScope,
  type Authorizer,
  openAccess,
} from './authorizer.ts'
export { type BlobDigest, blobDigestOf, type DigestAlgorithm, findBlobDigest } from './blob-digest.ts'
export type { ExtensionAnswer, ExtensionRequest, RegistryExtension } from './registry-extension.ts'
export type { GarbageReport, ManifestUse, RegistryObserver, RequestRecord, RouteName } from './registry-observer.ts'
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
export { dataLoss, digestMismatch, offsetMismatch, uploadBusy, uploadUnknown } from './storage/storage-errors.ts'
