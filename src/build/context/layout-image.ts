/** Uses an image in an OCI layout of the client as a base image. Its blobs are fetched into the content store, and its
 *  layers become snapshots. The image gets no name and no record; the build's holds keep it while the build runs.
 *  https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
import { BerthError, isKind, notFound } from '../../base/index.ts'
import { type Holds, type Image, type ImageLayer, newStreamIngestKey } from '../../images/index.ts'
import {
  bestPlatform,
  chainIds,
  type Descriptor,
  formatPlatform,
  type ManifestDocument,
  type Platform,
  parseImageConfig,
  parseManifestDocument,
  platformOfConfig,
} from '../../oci/index.ts'
import { placeLayer } from '../layer/place-layer.ts'
import type { BuildParts } from '../model/build-parts.ts'
import { type LayoutPlace, OciLayout, type ReadFile } from './oci-layout.ts'

/** Options of `loadLayoutImage`. */
export interface LayoutImageOptions {
  readonly place: LayoutPlace
  readonly platform: Platform
  readonly holds: Holds
  readonly signal: AbortSignal
}

/** Loads the image. Throws `notFound` for something that the layout lacks, `dataLoss` for a blob that does not match
 *  its digest. */
export async function loadLayoutImage(
  parts: BuildParts,
  read: ReadFile,
  { place, platform, holds, signal }: LayoutImageOptions,
): Promise<Image> {
  const source = new OciLayout(read)
  const top = await source.find(place)
  const { descriptor, manifest } = await choose(source, top, platform, 0)
  const { content } = parts.images
  const config = parseImageConfig(await source.read(manifest.config))
  const chain = chainIds(config.rootfs.diff_ids)
  const layers: ImageLayer[] = []
  for (const [at, blob] of manifest.layers.entries()) {
    const [diffId, chainId] = [config.rootfs.diff_ids[at], chain[at]]
    if (diffId === undefined || chainId === undefined) throw notFound(`${descriptor.digest} has too many layers`)
    holds.addBlob(blob.digest)
    if ((await content.find(blob.digest)) === undefined) await fetchBlob(parts, source.open(blob), blob, signal)
    const layer = { diffId, chainId, blob, sizeBytes: 0 }
    await placeLayer(parts, holds, layers, layer)
    layers.push({ ...layer, sizeBytes: await parts.images.layers.sizeOf(chainId) })
  }
  return {
    id: manifest.config.digest,
    references: [],
    digests: [],
    config,
    manifest: descriptor,
    layers,
    chainId: layers.at(-1)?.chainId,
    platform: platformOfConfig(config),
    sizeBytes: layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    created: config.created ?? '',
    parent: undefined,
    isIntermediate: false,
    lastTagTime: '',
  }
}

type ChosenManifest = Extract<ManifestDocument, { type: 'manifest' }> & { readonly descriptor: Descriptor }

async function choose(
  source: OciLayout,
  descriptor: Descriptor,
  platform: Platform,
  depth: number,
): Promise<ChosenManifest> {
  const document = parseManifestDocument(await source.read(descriptor), descriptor.mediaType)
  if (document.type === 'manifest') return { ...document, descriptor }
  const best = bestPlatform(platform, document.index.manifests, (one) => one.platform)
  if (best === undefined || depth > 2) {
    throw notFound(`no match for platform ${formatPlatform(platform)} in ${descriptor.digest} of the OCI layout`)
  }
  return await choose(source, best, platform, depth + 1)
}

async function fetchBlob(
  { images: { content } }: BuildParts,
  chunks: AsyncIterable<Buffer>,
  { digest, size }: Descriptor,
  signal: AbortSignal,
): Promise<void> {
  const ingest = await content.ingest(newStreamIngestKey())
  try {
    for await (const chunk of chunks) {
      if (signal.aborted) throw new BerthError('cancelled', 'context canceled')
      ingest.write(chunk)
    }
    await ingest.commit({ digest, sizeBytes: size })
  } catch (error) {
    // On `dataLoss` the ingest has been dropped already.
    if (!isKind(error, 'dataLoss')) await ingest.abort()
    throw error
  }
}
