export { parseRegistryAuth, type RegistryAuth } from './auth/credentials.ts'
export type { LoginResult } from './auth/login.ts'
export { BlobOrigin } from './blobs/blob-origin.ts'
export {
  type BlobAuthorizer,
  type BlobProblem,
  type BlobRequest,
  type BlobStreamOptions,
  readBlob,
} from './blobs/blob-stream.ts'
export {
  type UploadOptions,
  type UploadOutcome,
  type UploadSource,
  type UploadTarget,
  uploadBlob,
} from './blobs/upload-blob.ts'
export { type DistributionFacts, inspectDistribution } from './inspect-distribution.ts'
export { pushError } from './push-error.ts'
export { type ManifestUpload, putManifest } from './put-manifest.ts'
export { RegistryClient, type RegistryClientOptions } from './registry-client.ts'
export { type FetchedManifest, Repository } from './repository.ts'
export { type FoundRepository, parseSearchTerm, type SearchTerm } from './search.ts'
export { type Endpoint, type EndpointOptions, endpointsOf, isInsecureRegistry } from './transport/endpoints.ts'
export { HttpTransport, type HttpTransportOptions } from './transport/http-transport.ts'
export { isRetryable, pullError, registryCodeOf } from './transport/registry-errors.ts'
export type { RegistryRequest } from './transport/registry-request.ts'
export { isWorthRetrying } from './transport/retry.ts'
