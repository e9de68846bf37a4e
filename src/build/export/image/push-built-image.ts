/** Pushes a built image with its attestations to a registry. */
import { type PushParts, pushBlobs, sourceOf } from '../../../images/index.ts'
import { type Reference, withDigest } from '../../../oci/index.ts'
import { pushError, putManifest, type RegistryClient, uploadBlob } from '../../../registry/client/index.ts'
import type { ExportHost } from '../parts/export-parts.ts'
import type { AssembledImage } from './assemble-image.ts'

/** Options of `pushBuiltImage`. */
export interface PushBuiltOptions {
  readonly host: Pick<ExportHost, 'signal' | 'authOf'>
  /** Push by digest, without a tag. */
  readonly byDigest: boolean
  /** Reports transferred bytes: those of the blob `id` so far, and its size. */
  onStatus(id: string, current: number, total: number): void
}

/** Pushes the image under one name. Errors have Docker's texts. */
export async function pushBuiltImage(
  parts: PushParts,
  registries: RegistryClient,
  image: AssembledImage,
  reference: Reference,
  { host, byDigest, onStatus }: PushBuiltOptions,
): Promise<void> {
  const { signal } = host
  const repository = registries.repository(reference, await host.authOf(reference.registry), { actions: 'pull,push' })
  const { parts: images, index, top } = image
  const target = byDigest ? top.descriptor.digest : (reference.tag ?? top.descriptor.digest)
  try {
    for (const { layers, config } of images) {
      await pushBlobs(
        parts,
        repository,
        reference,
        { layers: layers.map(({ diffId, blob }) => ({ diffId, blob })), config: config.descriptor },
        {
          signal,
          onProgress: ({ id, progressDetail }) => {
            const { current, total } = progressDetail ?? {}
            if (id !== undefined && current !== undefined && total !== undefined) onStatus(id, current, total)
          },
        },
      )
    }
    for (const { attestation } of images) {
      if (attestation === undefined) continue
      for (const blob of [...attestation.layers, attestation.config])
        await uploadBlob(repository, sourceOf(parts.content, blob), { signal })
      const { mediaType, digest } = attestation.descriptor
      await putManifest(repository, { target: digest, bytes: attestation.bytes, mediaType }, { signal })
    }
    for (const { manifest } of index === undefined ? [] : images) {
      const { mediaType, digest } = manifest.descriptor
      await putManifest(repository, { target: digest, bytes: manifest.bytes, mediaType }, { signal })
    }
    await putManifest(repository, { target, bytes: top.bytes, mediaType: top.descriptor.mediaType }, { signal })
  } catch (error) {
    throw pushError(error)
  }
}

/** The name of the pushed image with its digest. */
export function pushedName(reference: Reference, { top }: AssembledImage): Reference {
  return withDigest(reference, top.descriptor.digest)
}
