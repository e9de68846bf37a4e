/** Compresses the layers of an image for export. Equal layers and options give equal bytes. */

import { Readable } from 'node:stream'
import { createGzip, createZstdCompress, constants as zlib } from 'node:zlib'
import { decompress, gzipBlocks } from '../../../archive/index.ts'
import { BerthError } from '../../../base/index.ts'
import type { Lease } from '../../../content/index.ts'
import {
  compressLayer,
  type ImageLayer,
  type ImageParts,
  isUncompressed,
  newStreamIngestKey,
} from '../../../images/index.ts'
import { type Descriptor, mediaTypes } from '../../../oci/index.ts'
import type { ImageAttributes, LayerCompression } from '../parts/image-attributes.ts'

/** Options of `compressLayers`. */
export interface CompressOptions extends Pick<ImageAttributes, 'compression' | 'level' | 'forceCompression'> {
  readonly signal: AbortSignal
}

/** Gives the layers with the blobs to send. `lease` keeps the blobs. */
export async function compressLayers<L extends ImageLayer>(
  parts: ImageParts,
  layers: readonly L[],
  lease: Lease,
  options: CompressOptions,
): Promise<readonly L[]> {
  const made: L[] = []
  // One after another, because each uses all processors.
  for (const layer of layers) made.push({ ...layer, blob: await blobOf(parts, layer, lease, options) })
  return made
}

async function blobOf(
  parts: ImageParts,
  layer: ImageLayer,
  lease: Lease,
  { compression, level, forceCompression, signal }: CompressOptions,
): Promise<Descriptor> {
  const { blob } = layer
  lease.add({ kind: 'blob', key: blob.digest })
  if (compression === 'kept') return blob
  const isPlain = isUncompressed(blob)
  const isRight = formOf(blob) === compression && level === undefined
  if (isRight || (!isPlain && !forceCompression) || (isPlain && compression === 'uncompressed')) return blob
  if (compression === 'gzip' && level === undefined && isPlain) {
    return await compressLayer(parts, layer, lease, { signal })
  }
  const { data } = await decompress(parts.content.open(blob.digest) as AsyncIterable<Buffer>)
  const ingest = await parts.content.ingest(newStreamIngestKey())
  try {
    for await (const chunk of compressed(data, compression, level)) {
      if (signal.aborted) throw new BerthError('cancelled', 'context canceled')
      ingest.write(chunk)
    }
    const { digest, sizeBytes } = await ingest.commit()
    lease.add({ kind: 'blob', key: digest })
    return { mediaType: typeOf[compression], digest, size: sizeBytes }
  } catch (error) {
    await ingest.abort()
    throw error
  }
}

const typeOf: Readonly<Record<Exclude<LayerCompression, 'kept'>, string>> = {
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
  uncompressed: mediaTypes.ociLayer,
}

function formOf({ mediaType }: Descriptor): LayerCompression {
  if (mediaType.endsWith('zstd')) return 'zstd'
  return mediaType.endsWith('gzip') ? 'gzip' : 'uncompressed'
}

function compressed(
  data: AsyncIterable<Buffer>,
  compression: Exclude<LayerCompression, 'kept'>,
  level: number | undefined,
): AsyncIterable<Buffer> {
  if (compression === 'uncompressed') return data
  if (compression === 'gzip') {
    return level === undefined
      ? gzipBlocks(data)
      : Readable.from(data).compose(createGzip({ level: Math.min(level, 9) }))
  }
  const params = level === undefined ? {} : { params: { [zlib.ZSTD_c_compressionLevel]: Math.min(level, 22) } }
  return Readable.from(data).compose(createZstdCompress(params))
}
