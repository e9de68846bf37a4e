/** Makes the documents of an image for export: config and manifest for each platform. An index is added when there are
 *  several platforms, attestations, or index annotations. All documents are stored as blobs, which a lease keeps. */
import type { Lease } from '../../../content/index.ts'
import type { ImageLayer, ImageParts } from '../../../images/index.ts'
import {
  type Descriptor,
  digestOf,
  formatManifest,
  type ImageIndex,
  type Manifest,
  mediaTypes,
} from '../../../oci/index.ts'
import type { BuiltImage } from '../../model/built-image.ts'
import {
  type Attestation,
  type AttestationManifest,
  type StatementSubject,
  storeAttestations,
} from '../attestations/attestation-manifest.ts'
import { compressLayers } from '../layers/compress-layers.ts'
import { type Annotations, withAnnotations } from '../parts/annotations.ts'
import type { ImageAttributes } from '../parts/image-attributes.ts'

/** A stored document. */
export interface StoredDocument {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
}

/** The image for one platform. */
export interface AssembledPart {
  readonly image: BuiltImage
  readonly config: StoredDocument
  /** The layers, with the blobs that the manifest lists. */
  readonly layers: readonly ImageLayer[]
  readonly manifest: StoredDocument
  readonly attestation: AttestationManifest | undefined
}

/** An image for all its platforms. */
export interface AssembledImage {
  readonly parts: readonly [AssembledPart, ...AssembledPart[]]
  readonly index: StoredDocument | undefined
  /** What a name of the image points to: the index if there is one, else the manifest. */
  readonly top: StoredDocument
}

/** The image for one platform before its documents are made. */
export interface PartToAssemble {
  readonly image: BuiltImage
  readonly annotations: Annotations
  readonly attestations: readonly Attestation[]
  /** Names of the statements' subject. The digest is added. */
  readonly subjectNames: readonly string[]
}

/** Options of `assembleImage`. */
export interface AssembleOptions {
  readonly attributes: ImageAttributes
  /** Make an index even for a single image. */
  readonly isIndexed: boolean
  readonly signal: AbortSignal
}

/** Makes and stores the documents of an image for these platforms. The lease keeps them. */
export async function assembleImage(
  parts: ImageParts,
  lease: Lease,
  [first, ...others]: readonly [PartToAssemble, ...PartToAssemble[]],
  options: AssembleOptions,
): Promise<AssembledImage> {
  const made: [AssembledPart, ...AssembledPart[]] = [await assemblePart(parts, lease, first, options)]
  for (const other of others) made.push(await assemblePart(parts, lease, other, options))
  const { annotations } = first
  const isIndexed =
    options.isIndexed ||
    made.length > 1 ||
    made[0].attestation !== undefined ||
    [annotations.index, annotations['manifest-descriptor']].some((one) => Object.keys(one).length > 0)
  if (!isIndexed) return { parts: made, index: undefined, top: made[0].manifest }
  const listed: ImageIndex = {
    schemaVersion: 2,
    mediaType: typesOf(options).index,
    manifests: [
      ...made.map((one, at) => entryOf(one, at === 0 ? first : (others[at - 1] ?? first))),
      ...made.flatMap(({ attestation }) => (attestation === undefined ? [] : [attestation.descriptor])),
    ],
    ...withAnnotations(annotations.index),
  }
  const index = await store(parts, lease, listed.mediaType, Buffer.from(JSON.stringify(listed)))
  return { parts: made, index, top: index }
}

async function assemblePart(
  parts: ImageParts,
  lease: Lease,
  { image, annotations, attestations, subjectNames }: PartToAssemble,
  options: AssembleOptions,
): Promise<AssembledPart> {
  const types = typesOf(options)
  const own = image.layers.map(({ diffId, chainId, blob, sizeBytes }) => ({ diffId, chainId, blob, sizeBytes }))
  const compressed = await compressLayers(parts, own, lease, { ...options.attributes, signal: options.signal })
  const layers = compressed.map((layer) => ({
    ...layer,
    blob: { ...layer.blob, mediaType: types.layer(layer.blob.mediaType) },
  }))
  const config = await store(parts, lease, types.config, Buffer.from(JSON.stringify(image.config)))
  const made: Manifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: config.descriptor,
    layers: layers.map(({ blob }) => blob),
    ...withAnnotations(annotations.manifest),
  }
  const manifest = await store(parts, lease, types.manifest, formatManifest(made))
  const { digest } = manifest.descriptor
  const subjects: StatementSubject[] = subjectNames.map((name) => ({ name, digest }))
  const attestation =
    attestations.length === 0
      ? undefined
      : await storeAttestations(parts.content, lease, manifest.descriptor, attestations, subjects)
  return { image, config, layers, manifest, attestation }
}

function entryOf({ image, manifest }: AssembledPart, { annotations }: PartToAssemble): Descriptor {
  const { architecture, os, variant } = image.platform
  return {
    ...manifest.descriptor,
    platform: { architecture, os, ...(variant === undefined ? {} : { variant }) },
    ...withAnnotations(annotations['manifest-descriptor']),
  }
}

function typesOf({ attributes }: AssembleOptions): MediaTypes {
  return attributes.ociTypes ? ociTypes : dockerTypes
}

async function store({ content }: ImageParts, lease: Lease, mediaType: string, bytes: Buffer): Promise<StoredDocument> {
  const digest = digestOf(bytes)
  lease.add({ kind: 'blob', key: digest })
  await content.put(bytes)
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
}

interface MediaTypes {
  readonly config: string
  readonly manifest: string
  readonly index: string
  layer(mediaType: string): string
}

const ociTypes: MediaTypes = {
  config: mediaTypes.ociConfig,
  manifest: mediaTypes.ociManifest,
  index: mediaTypes.ociIndex,
  layer: (type) => {
    if (type === mediaTypes.dockerLayer) return mediaTypes.ociLayer
    return type === mediaTypes.dockerLayerGzip ? mediaTypes.ociLayerGzip : type
  },
}

/** Docker's media types have none for zstd, so a zstd layer keeps its OCI type. */
const dockerTypes: MediaTypes = {
  config: mediaTypes.dockerConfig,
  manifest: mediaTypes.dockerManifest,
  index: mediaTypes.dockerManifestList,
  layer: (type) => {
    if (type === mediaTypes.ociLayer) return mediaTypes.dockerLayer
    return type === mediaTypes.ociLayerGzip ? mediaTypes.dockerLayerGzip : type
  },
}
