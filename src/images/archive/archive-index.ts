/** Reads what an archive has of an image's index: images for several platforms, and attestations. */
import {
  type Descriptor,
  hexOf,
  type ImageIndex,
  isIndexType,
  type Manifest,
  type Platform,
  parseManifestDocument,
} from '../../oci/index.ts'
import type { ArchivedAttestation, ArchivedImage, ArchivedIndex, ReadMember } from './archived-image.ts'

/** The path of a blob in an OCI image layout. */
export function blobPath({ digest }: Pick<Descriptor, 'digest'>): string {
  return `blobs/sha256/${hexOf(digest)}`
}

/** The image that a manifest of a layout describes. */
export function layoutImage(manifest: Manifest, bytes: Buffer, { digest }: Descriptor): ArchivedImage {
  return {
    configPath: blobPath(manifest.config),
    layers: manifest.layers.map((layer) => ({ path: blobPath(layer), descriptor: layer })),
    references: [],
    manifest: { bytes, descriptor: { mediaType: manifest.mediaType, digest, size: bytes.length } },
  }
}

/** What an index lists beside `chosen`. Undefined when a part of it is missing, or when it has an image for another
 *  system than Linux. */
export function readWholeIndex(
  read: ReadMember,
  { bytes, descriptor, index }: { readonly bytes: Buffer; readonly descriptor: Descriptor; readonly index: ImageIndex },
  chosen: Descriptor,
): ArchivedIndex | undefined {
  const others: ArchivedImage[] = []
  const attestations: ArchivedAttestation[] = []
  for (const entry of index.manifests) {
    const found = isIndexType(entry.mediaType) ? undefined : read(blobPath(entry))
    const document = found === undefined ? undefined : parseManifestDocument(found, entry.mediaType)
    if (found === undefined || document?.type !== 'manifest') return undefined
    const { manifest } = document
    if (entry.annotations?.['vnd.docker.reference.type'] === 'attestation-manifest') {
      attestations.push({ bytes: found, descriptor: entry, blobs: [manifest.config, ...manifest.layers] })
    } else if (entry.digest !== chosen.digest) {
      if (!isLinux(entry.platform)) return undefined
      others.push(layoutImage(manifest, found, entry))
    }
  }
  return { bytes, descriptor: { ...descriptor, mediaType: index.mediaType }, others, attestations }
}

/** True for images that can be unpacked here, also for those that don't name their system. */
function isLinux(platform: Platform | undefined): boolean {
  return platform === undefined || platform.os === 'linux'
}
