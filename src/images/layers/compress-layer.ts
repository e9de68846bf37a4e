/** Compresses a layer that is stored uncompressed, for a push. It is compressed once, always to the same bytes, and
 *  kept. */
import { gzipBlocks } from '../../archive/index.ts'
import { BerthError, shortId } from '../../base/index.ts'
import type { Lease, LocalContentStore } from '../../content/index.ts'
import type { ProgressOptions } from '../../contract/index.ts'
import { type Descriptor, mediaTypes } from '../../oci/index.ts'
import type { ImageLayer } from '../catalog/image.ts'
import type { ImageStore } from '../catalog/image-store.ts'
import { newStreamIngestKey } from '../catalog/ingest-keys.ts'
import { LayerProgress } from '../catalog/progress.ts'

/** True for a layer whose blob is a bare tar archive. */
export function isUncompressed({ mediaType }: Descriptor): boolean {
  return mediaType === mediaTypes.ociLayer || mediaType === mediaTypes.dockerLayer
}

/** The compressed blob of a layer: that of another image with the same files, or a new one. */
export async function compressLayer(
  { store, content }: { readonly store: ImageStore; readonly content: LocalContentStore },
  layer: ImageLayer,
  lease: Lease,
  { onProgress = () => {}, signal }: ProgressOptions,
): Promise<Descriptor> {
  const known = await findCompressed(store, content, layer, lease)
  if (known !== undefined) return known
  const ingest = await content.ingest(newStreamIngestKey())
  try {
    const progress = new LayerProgress(shortId(layer.diffId))
    progress.watch(onProgress)
    let read = 0
    let told = 0
    const counted = async function* () {
      for await (const chunk of content.open(layer.blob.digest) as AsyncIterable<Buffer>) {
        read += chunk.length
        yield chunk
      }
    }
    for await (const chunk of gzipBlocks(counted())) {
      if (signal?.aborted === true) throw new BerthError('cancelled', 'context canceled')
      ingest.write(chunk)
      if (read !== told) progress.amount('Compressing', read, layer.blob.size)
      told = read
    }
    const { digest, sizeBytes } = await ingest.commit()
    // Inside the gate, new blobs are safe until the lease holds them.
    lease.add({ kind: 'blob', key: digest })
    return { mediaType: mediaTypes.ociLayerGzip, digest, size: sizeBytes }
  } catch (error) {
    await ingest.abort()
    throw error
  }
}

async function findCompressed(
  store: ImageStore,
  content: LocalContentStore,
  { diffId }: ImageLayer,
  lease: Lease,
): Promise<Descriptor | undefined> {
  for (const { layers } of store.records()) {
    const layer = layers.find((one) => one.diffId === diffId && !isUncompressed(one.blob))
    if (layer === undefined) continue
    lease.add({ kind: 'blob', key: layer.blob.digest })
    if ((await content.find(layer.blob.digest)) !== undefined) return layer.blob
  }
  return undefined
}
