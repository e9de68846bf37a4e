export { type BlobAuthorizer, type BlobRequest, type BlobStreamOptions, readBlob } from './blob-stream.ts'
export { parseRegistryAuth, type RegistryAuth } from './credentials.ts'
export { type Endpoint, type EndpointOptions, endpointsOf, isInsecureRegistry } from './endpoints.ts'
export { HttpTransport, type HttpTransportOptions } from './http-transport.ts'
export { pushError } from './push-error.ts'
export { RegistryClient, type RegistryClientOptions } from './registry-client.ts'
export { isRetryable, pullError, registryCodeOf } from './registry-errors.ts'
export { type FetchedManifest, type RegistryRequest, Repository } from './repository.ts'
export {
  type UploadOptions,
  type UploadOutcome,
  type UploadSource,
  type UploadTarget,
  uploadBlob,
} from './upload-blob.ts'
