import type { AbortOptions } from '../../base/index.ts'
import type { UploadTarget } from './blobs/upload-blob.ts'

export interface ManifestUpload {
  /** The tag, or the digest itself. */
  readonly target: string
  /** Sent as they are: their digest is what others know it by. */
  readonly bytes: Uint8Array
  readonly mediaType: string
}

/** Stores a manifest or an index whose parts the repository has already.
 *  https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests */
export async function putManifest(
  repository: UploadTarget,
  { target, bytes, mediaType }: ManifestUpload,
  { signal }: AbortOptions = {},
): Promise<void> {
  const headers = { 'Content-Type': mediaType }
  const response = await repository.request(`manifests/${target}`, { method: 'PUT', headers, body: bytes, signal })
  response.body.resume()
}
