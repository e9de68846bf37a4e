/** An image as an archive: an OCI image layout. For type `docker`, it also contains the files that `docker load` reads.
 *  Equal images give equal bytes. https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
import { type ArchiveMember, archiveOf, type FileArchive } from '../../../archive/index.ts'
import type { LocalContentStore } from '../../../content/index.ts'
import {
  algorithmOf,
  type Descriptor,
  type Digest,
  familiarReference,
  formatReference,
  hexOf,
  mediaTypes,
  type Reference,
} from '../../../oci/index.ts'
import type { AssembledImage } from './assemble-image.ts'

/** Options of `imageArchive`. */
export interface ImageArchiveOptions {
  readonly names: readonly Reference[]
  readonly form: 'oci' | 'docker'
  /** Annotations for the entry in the layout's index. */
  readonly annotations: Readonly<Record<string, string>>
  /** The image's creation time, RFC 3339. */
  readonly created: string | undefined
}

/** Plans the archive. Its blobs must stay until the archive has been read. */
export function imageArchive(
  content: LocalContentStore,
  image: AssembledImage,
  options: ImageArchiveOptions,
): FileArchive {
  const blobs = new Map(blobsOf(image).map((blob) => [blob.digest, blob]))
  return archiveOf([
    directory('blobs/'),
    directory('blobs/sha256/'),
    ...[...blobs.values()].map(
      ({ digest, size }): ArchiveMember => ({
        entry: { type: 'file', path: blobPath(digest) },
        content: { path: content.pathOf(digest), sizeBytes: size },
      }),
    ),
    json('index.json', indexOf(image, options)),
    ...(options.form === 'docker' ? [json('manifest.json', [loadItem(image, options.names)])] : []),
    json('oci-layout', { imageLayoutVersion: '1.0.0' }),
  ])
}

/** All blobs, documents first, so that a reader of the stream knows what the layers are before they arrive. */
function blobsOf({ parts, index }: AssembledImage): readonly Descriptor[] {
  return [
    ...(index === undefined ? [] : [index.descriptor]),
    ...parts.flatMap(({ config, manifest }) => [manifest.descriptor, config.descriptor]),
    ...parts.flatMap(({ attestation }) =>
      attestation === undefined ? [] : [attestation.descriptor, attestation.config, ...attestation.layers],
    ),
    ...parts.flatMap(({ layers }) => layers.map(({ blob }) => blob)),
  ]
}

function directory(path: string): ArchiveMember {
  return { entry: { type: 'directory', path } }
}

function json(path: string, value: unknown): ArchiveMember {
  return { entry: { type: 'file', path }, content: Buffer.from(JSON.stringify(value)) }
}

function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`
}

/** The layout's index. It has one entry per name, as other tools expect. */
function indexOf({ top }: AssembledImage, { names, annotations, created }: ImageArchiveOptions): object {
  const common = { ...annotations, ...(created === undefined ? {} : { 'org.opencontainers.image.created': created }) }
  const entry = (named: Readonly<Record<string, string>>) => ({
    ...top.descriptor,
    annotations: { ...common, ...named },
  })
  const manifests = names.map((reference) =>
    entry({
      'io.containerd.image.name': formatReference(reference),
      ...(reference.tag === undefined ? {} : { 'org.opencontainers.image.ref.name': reference.tag }),
    }),
  )
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: manifests.length === 0 ? [entry({})] : manifests,
  }
}

function loadItem({ parts: [{ config, layers }] }: AssembledImage, names: readonly Reference[]): object {
  return {
    Config: blobPath(config.descriptor.digest),
    RepoTags: names.length === 0 ? null : names.map(familiarReference),
    Layers: layers.map(({ blob }) => blobPath(blob.digest)),
  }
}
