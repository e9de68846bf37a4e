import type { ImageManifestSummary, OciDescriptor } from '../../api/index.ts'
import { type Descriptor, isIndexType, isManifestType, platformOfConfig } from '../../oci/index.ts'
import type { Image, ImageRecord, ImageUse } from './image.ts'
import { type ImageStore, membersOf } from './image-store.ts'

/** The index or manifest that an image's name stands for, and each manifest of it that is stored here. */
export function manifestSummaries(
  store: ImageStore,
  image: Image,
  use: ImageUse,
): { readonly Descriptor: OciDescriptor; readonly Manifests: readonly ImageManifestSummary[] } {
  const index = store.names.of(image.id).find(({ target }) => isIndexType(target.mediaType))?.target
  const record = store.findRecord(image.id)
  const own = record === undefined ? [] : [record]
  const members = index === undefined ? [] : membersOf(store, index.digest).filter(({ id }) => id !== image.id)
  return {
    Descriptor: index ?? image.manifest,
    Manifests: [...own, ...members].flatMap((one) => [imageSummary(one, use), ...attestationSummaries(one)]),
  }
}

function imageSummary({ id, manifest, config, layers }: ImageRecord, use: ImageUse): ImageManifestSummary {
  const contentBytes = manifest.size + layers.reduce((sum, { blob }) => sum + blob.size, 0)
  const unpackedBytes = layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return {
    ID: manifest.digest,
    Descriptor: manifest,
    Available: true,
    Size: { Total: contentBytes + unpackedBytes, Content: contentBytes },
    Kind: 'image',
    ImageData: {
      Platform: platformOfConfig(config),
      Containers: use.containersUsing(id).map((user) => user.id),
      Size: { Unpacked: unpackedBytes },
    },
  }
}

function attestationSummaries({ manifest, attachments = [] }: ImageRecord): ImageManifestSummary[] {
  const isAttestation = ({ mediaType, annotations }: Descriptor) =>
    isManifestType(mediaType) && annotations?.['vnd.docker.reference.digest'] === manifest.digest
  return attachments.filter(isAttestation).map((descriptor) => ({
    ID: descriptor.digest,
    Descriptor: descriptor,
    Available: true,
    Size: { Total: descriptor.size, Content: descriptor.size },
    Kind: 'attestation',
    AttestationData: { For: manifest.digest },
  }))
}
