import type { ImageManifestSummary } from '../api/index.ts'
import type { Image, ImageUse } from './image.ts'

/** An image as one manifest of its name: Berth keeps the one that is for this host. */
export function manifestSummary(image: Image, use: ImageUse): ImageManifestSummary {
  const { manifest, platform, sizeBytes, layers } = image
  const contentBytes = manifest.size + layers.reduce((sum, { blob }) => sum + blob.size, 0)
  return {
    ID: manifest.digest,
    Descriptor: manifest,
    Available: true,
    Size: { Total: contentBytes + sizeBytes, Content: contentBytes },
    Kind: 'image',
    ImageData: {
      Platform: platform,
      Containers: use.containersUsing(image.id).map(({ id }) => id),
      Size: { Unpacked: sizeBytes },
    },
  }
}
