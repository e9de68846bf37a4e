/** The documents of an image as it leaves: config, manifest, and where it has attestations or annotations of that kind
 *  an index. All of them are stored as blobs, which a lease holds. */
import type { Lease } from '../../content/index.ts'
import type { ImageLayer, ImageParts } from '../../images/index.ts'
import {
  type Descriptor,
  digestOf,
  formatManifest,
  type ImageIndex,
  type Manifest,
  mediaTypes,
} from '../../oci/index.ts'
import type { BuiltImage } from '../built-image.ts'
import { type Annotations, withAnnotations } from './annotations.ts'
import {
  type Attestation,
  type AttestationManifest,
  type StatementSubject,
  storeAttestations,
} from './attestation-manifest.ts'
import { compressLayers } from './compress-layers.ts'
import type { ImageAttributes } from './image-attributes.ts'

/** A document, stored. */
export interface StoredDocument {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
}

export interface AssembledImage {
  readonly config: StoredDocument
  /** With the blobs that the manifest lists. */
  readonly layers: readonly ImageLayer[]
  readonly manifest: StoredDocument
  readonly attestation: AttestationManifest | undefined
  readonly index: StoredDocument | undefined
  /** What a name stands for: the index, else the manifest. */
  readonly top: StoredDocument
}

export interface AssembleOptions {
  readonly attributes: ImageAttributes
  readonly annotations: Annotations
  readonly attestations: readonly Attestation[]
  /** What attestations are about, beside the digest. */
  readonly subjectNames: readonly string[]
  readonly signal: AbortSignal
}

/** Makes and stores what is missing of an image. */
export async function assembleImage(
  parts: ImageParts,
  lease: Lease,
  image: BuiltImage,
  { attributes, annotations, attestations, subjectNames, signal }: AssembleOptions,
): Promise<AssembledImage> {
  const put = (mediaType: string, bytes: Buffer) => store(parts, lease, mediaType, bytes)
  const types = attributes.ociTypes ? ociTypes : dockerTypes
  const own = image.layers.map(({ diffId, chainId, blob, sizeBytes }) => ({ diffId, chainId, blob, sizeBytes }))
  const compressed = await compressLayers(parts, own, lease, { ...attributes, signal })
  const layers = compressed.map((layer) => ({
    ...layer,
    blob: { ...layer.blob, mediaType: types.layer(layer.blob.mediaType) },
  }))
  const config = await put(types.config, Buffer.from(JSON.stringify(image.config)))
  const made: Manifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: config.descriptor,
    layers: layers.map(({ blob }) => blob),
    ...withAnnotations(annotations.manifest),
  }
  const manifest = await put(types.manifest, formatManifest(made))
  const isIndexed =
    attestations.length > 0 ||
    [annotations.index, annotations['manifest-descriptor']].some((one) => Object.keys(one).length > 0)
  if (!isIndexed) return { config, layers, manifest, attestation: undefined, index: undefined, top: manifest }
  const subjects: StatementSubject[] = subjectNames.map((name) => ({ name, digest: manifest.descriptor.digest }))
  const attestation =
    attestations.length === 0
      ? undefined
      : await storeAttestations(parts.content, lease, manifest.descriptor, attestations, subjects)
  const { architecture, os, variant } = image.platform
  const listed: ImageIndex = {
    schemaVersion: 2,
    mediaType: types.index,
    manifests: [
      {
        ...manifest.descriptor,
        platform: { architecture, os, ...(variant === undefined ? {} : { variant }) },
        ...withAnnotations(annotations['manifest-descriptor']),
      },
      ...(attestation === undefined ? [] : [attestation.descriptor]),
    ],
    ...withAnnotations(annotations.index),
  }
  const index = await put(types.index, Buffer.from(JSON.stringify(listed)))
  return { config, layers, manifest, attestation, index, top: index }
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

/** Docker's have no zstd: such a layer keeps its type. */
const dockerTypes: MediaTypes = {
  config: mediaTypes.dockerConfig,
  manifest: mediaTypes.dockerManifest,
  index: mediaTypes.dockerManifestList,
  layer: (type) => {
    if (type === mediaTypes.ociLayer) return mediaTypes.dockerLayer
    return type === mediaTypes.ociLayerGzip ? mediaTypes.dockerLayerGzip : type
  },
}
