/** Reads manifests: the blobs and manifests that they name, and their subject. The registry stores a manifest's bytes
 *  as they were pushed. https://github.com/opencontainers/image-spec/blob/main/manifest.md */
import { isIndexType, isManifestType, isObject, mediaTypes } from '../../../oci/index.ts'
import { type BlobDigest, findBlobDigest } from './blob-digest.ts'
import { RegistryError } from './registry-error.ts'

/** A blob or manifest that a manifest names. */
export interface ManifestPart {
  readonly kind: 'blob' | 'manifest'
  readonly digest: BlobDigest
  /** False for foreign layers, which clients download from other places. */
  readonly isRequired: boolean
}

/** The parts of a manifest that the registry uses. */
export interface ManifestDocument {
  readonly mediaType: string
  readonly parts: readonly ManifestPart[]
  /** The manifest that this one refers to. */
  readonly subject?: BlobDigest
  /** As the referrers API shows it. An image without an artifact type has its config's media type. */
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, unknown>>
}

/** An image in an index, with its platform. */
export interface PlatformEntry {
  readonly digest: BlobDigest
  readonly os: string
  readonly architecture: string
}

/** Reads a manifest. `contentType` is the client's Content-Type header, '' if there was none. Throws MANIFEST_INVALID
 *  if the bytes are not a manifest or have another type than the header says. */
export function parseManifest(bytes: Buffer, contentType: string): ManifestDocument {
  const value = parseObject(bytes)
  const mediaType = mediaTypeOf(value, contentType)
  if (value.schemaVersion !== 2) throw invalid('schemaVersion is not 2')
  const subject = value.subject === undefined ? undefined : descriptorDigest(value.subject, 'subject')
  const isIndex = isIndexType(mediaType)
  const artifactType = artifactTypeOf(value, isIndex)
  return {
    mediaType,
    parts: isIndex ? indexParts(value) : imageParts(value),
    ...(subject === undefined ? {} : { subject }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(isObject(value.annotations) ? { annotations: value.annotations } : {}),
  }
}

/** The images of an index or manifest list, with their platforms ('' if they name none). Throws MANIFEST_INVALID if the
 *  bytes are not a JSON object. */
export function platformEntries(bytes: Buffer): readonly PlatformEntry[] {
  const { manifests } = parseObject(bytes)
  if (!Array.isArray(manifests)) return []
  return manifests.filter(isObject).flatMap((entry) => {
    const digest = findBlobDigest(entry.digest)
    const platform = isObject(entry.platform) ? entry.platform : {}
    return digest === undefined
      ? []
      : [{ digest, os: String(platform.os ?? ''), architecture: String(platform.architecture ?? '') }]
  })
}

/** A media type without its parameters, in lower case. */
export function bareMediaType(type: string): string {
  return (type.split(';', 1)[0] ?? '').trim().toLowerCase()
}

function mediaTypeOf(value: Record<string, unknown>, contentType: string): string {
  const named = value.mediaType ?? ''
  if (typeof named !== 'string') throw invalid('mediaType is not a string')
  const type = bareMediaType(contentType)
  // Some clients send manifests as plain JSON.
  const called = type === 'application/json' ? '' : type
  if (named !== '' && called !== '' && named !== called) {
    throw invalid(`mediaType in manifest should be '${called}' not '${named}'`)
  }
  // In OCI manifests the media type is optional.
  const fallback = 'manifests' in value ? mediaTypes.ociIndex : mediaTypes.ociManifest
  const mediaType = named || called || fallback
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) throw invalid(`unsupported manifest type ${mediaType}`)
  return mediaType
}

function imageParts(value: Record<string, unknown>): readonly ManifestPart[] {
  // A document that could be read as image and as index is refused: CVE-2021-41190.
  if ('manifests' in value) throw invalid('an image manifest has no manifests')
  const config: ManifestPart = { kind: 'blob', digest: descriptorDigest(value.config, 'config'), isRequired: true }
  if (!Array.isArray(value.layers)) throw invalid('layers are missing')
  return [
    config,
    ...value.layers.map((layer, index): ManifestPart => {
      return { kind: 'blob', digest: descriptorDigest(layer, `layers[${index}]`), isRequired: !isForeign(layer) }
    }),
  ]
}

function indexParts(value: Record<string, unknown>): readonly ManifestPart[] {
  if ('layers' in value || 'config' in value) throw invalid('an index has neither config nor layers')
  if (!Array.isArray(value.manifests)) throw invalid('manifests are missing')
  return value.manifests.map((entry, index): ManifestPart => {
    return { kind: 'manifest', digest: descriptorDigest(entry, `manifests[${index}]`), isRequired: true }
  })
}

/** True for layers that only their owner may distribute. */
function isForeign(layer: unknown): boolean {
  if (!isObject(layer) || typeof layer.mediaType !== 'string') return false
  const isMarked = layer.mediaType.includes('.nondistributable.') || layer.mediaType.includes('.rootfs.foreign.')
  return isMarked && Array.isArray(layer.urls) && layer.urls.length > 0
}

function descriptorDigest(value: unknown, name: string): BlobDigest {
  if (!isObject(value)) throw invalid(`${name} is not a descriptor`)
  const digest = findBlobDigest(value.digest)
  if (digest === undefined) throw invalid(`${name} has no valid digest`)
  const { size } = value
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw invalid(`${name} has no valid size`)
  return digest
}

function artifactTypeOf(value: Record<string, unknown>, isIndex: boolean): string | undefined {
  if (typeof value.artifactType === 'string' && value.artifactType !== '') return value.artifactType
  if (isIndex || !isObject(value.config)) return undefined
  return typeof value.config.mediaType === 'string' ? value.config.mediaType : undefined
}

function parseObject(bytes: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new RegistryError('MANIFEST_INVALID', { detail: 'not JSON', cause })
  }
  if (!isObject(value)) throw invalid('not a JSON object')
  return value
}

function invalid(detail: string): RegistryError {
  return new RegistryError('MANIFEST_INVALID', { detail })
}
