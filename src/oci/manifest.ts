/** Manifests and indexes of OCI and of Docker's schema 2, which differ in their media types only.
 *  https://github.com/opencontainers/image-spec/blob/main/manifest.md */
import { invalidArgument } from '../base/index.ts'
import { type Descriptor, isObject, parseDescriptor } from './descriptor.ts'
import { isIndexType, isManifestType, isSchema1Type, mediaTypes } from './media-types.ts'

/** One image: its config and its layers, lowest first. */
export interface Manifest {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>>
}

/** A list of manifests, usually one for each platform. */
export interface ImageIndex {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly manifests: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>>
}

/** What a manifest URL can give: the manifest of one image, or an index. */
export type ManifestDocument =
  | { readonly type: 'manifest'; readonly manifest: Manifest }
  | { readonly type: 'index'; readonly index: ImageIndex }

/** Parses the bytes of a manifest or index. A media type in the document wins over `mediaType`, the one that the sender
 *  named. Throws `invalidArgument` for anything else, with a message of its own for the retired schema 1. */
export function parseManifestDocument(bytes: Uint8Array | string, mediaType = ''): ManifestDocument {
  const value = parseObject(bytes)
  const type = typeof value.mediaType === 'string' && value.mediaType !== '' ? value.mediaType : mediaType
  if (isSchema1Type(type) || value.schemaVersion === 1) throw schema1Refused()
  if (value.schemaVersion !== 2) throw invalidArgument('manifest has no schemaVersion 2')
  // A document that could be read both ways is refused: CVE-2021-41190.
  if ('manifests' in value && ('layers' in value || 'config' in value)) {
    throw invalidArgument('manifest is ambiguous: it has both manifests and layers')
  }
  if (isIndexType(type) || (!isManifestType(type) && 'manifests' in value)) {
    return { type: 'index', index: toIndex(value, isIndexType(type) ? type : mediaTypes.ociIndex) }
  }
  return { type: 'manifest', manifest: toManifest(value, isManifestType(type) ? type : mediaTypes.ociManifest) }
}

/** The error for an image in Docker's schema 1 format. */
export function schema1Refused(reference = ''): Error {
  const subject = reference === '' ? 'this image' : reference
  return invalidArgument(
    `${subject} is stored in the Docker image manifest version 2, schema 1 format, which is not supported: ` +
      'push it again with a current tool to convert it to schema 2 or OCI',
  )
}

/** The canonical bytes of a manifest that Berth makes itself. */
export function formatManifest(manifest: Manifest): Buffer {
  return Buffer.from(JSON.stringify(manifest))
}

function toManifest(value: Record<string, unknown>, mediaType: string): Manifest {
  if (!Array.isArray(value.layers)) throw invalidArgument('manifest has no layers')
  return {
    schemaVersion: 2,
    mediaType,
    config: parseDescriptor(value.config),
    layers: value.layers.map(parseDescriptor),
    ...annotationsOf(value),
  }
}

function toIndex(value: Record<string, unknown>, mediaType: string): ImageIndex {
  if (!Array.isArray(value.manifests)) throw invalidArgument('index has no manifests')
  return { schemaVersion: 2, mediaType, manifests: value.manifests.map(parseDescriptor), ...annotationsOf(value) }
}

function annotationsOf(value: Record<string, unknown>): { annotations?: Record<string, string> } {
  if (!isObject(value.annotations)) return {}
  const entries = Object.entries(value.annotations).filter((entry): entry is [string, string] => {
    return typeof entry[1] === 'string'
  })
  return { annotations: Object.fromEntries(entries) }
}

function parseObject(bytes: Uint8Array | string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw invalidArgument('manifest is not JSON', { cause })
  }
  if (!isObject(value)) throw invalidArgument('manifest is not a JSON object')
  return value
}
