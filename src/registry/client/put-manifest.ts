import type { AbortOptions } from '../../base/index.ts'
import type { UploadTarget } from './blobs/upload-blob.ts'

/** A manifest or index to push. */
export interface ManifestUpload {
  /** The tag, or the digest of the bytes. */
  readonly target: string
  /** Sent unchanged, so that the digest stays the same. */
  readonly bytes: Uint8Array
  readonly mediaType: string
}

/** Pushes a manifest or an index. The repository must already have its parts. Rejects with the registry's errors.
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
