export { BlobOrigin } from './blob-origin.ts'
export {
  type BlobAuthorizer,
  type BlobProblem,
  type BlobRequest,
  type BlobStreamOptions,
  readBlob,
} from './blob-stream.ts'
export { parseRegistryAuth, type RegistryAuth } from './credentials.ts'
export { type Endpoint, type EndpointOptions, endpointsOf, isInsecureRegistry } from './endpoints.ts'
export { HttpTransport, type HttpTransportOptions } from './http-transport.ts'
export { type DistributionFacts, inspectDistribution } from './inspect-distribution.ts'
export type { LoginResult } from './login.ts'
export { pushError } from './push-error.ts'
export { type ManifestUpload, putManifest } from './put-manifest.ts'
export { RegistryClient, type RegistryClientOptions } from './registry-client.ts'
export { isRetryable, pullError, registryCodeOf } from './registry-errors.ts'
export type { RegistryRequest } from './registry-request.ts'
export { type FetchedManifest, Repository } from './repository.ts'
export { isWorthRetrying } from './retry.ts'
export { type FoundRepository, parseSearchTerm, type SearchTerm } from './search.ts'
export {
  type UploadOptions,
  type UploadOutcome,
  type UploadSource,
  type UploadTarget,
  uploadBlob,
} from './upload-blob.ts'
