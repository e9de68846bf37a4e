/** Saves images as one archive that is both an OCI image layout and a docker-archive. Blobs are written as they are
 *  stored, compressed or not, so ids, layers and manifest digests stay the same. Order and times are fixed: the same
 *  images always give the same bytes.
 *  https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
import { type ArchiveMember, archiveOf, type FileArchive } from '../../archive/index.ts'
import { type AbortOptions, BerthError, invalidArgument, notFound } from '../../base/index.ts'
import type { Leases, LocalContentStore } from '../../content/index.ts'
import {
  algorithmOf,
  type Descriptor,
  type Digest,
  familiarName,
  familiarReference,
  formatReference,
  hexOf,
  isDigest,
  mediaTypes,
  type Platform,
  parseReference,
  type Reference,
  withDigest,
} from '../../oci/index.ts'
import type { ImageRecord } from '../catalog/image.ts'
import { type ImageStore, onlyIdWithPrefix } from '../catalog/image-store.ts'
import { type WholeIndex, wholeIndexes } from './whole-index.ts'

/** What saving needs. */
export interface SaveDependencies {
  readonly store: ImageStore
  readonly content: LocalContentStore
  readonly leases: Leases
}

/** How to save. */
export interface SaveOptions extends AbortOptions {
  readonly platform?: Platform | undefined
}

/** An archive to send. Its blobs can't be collected until it is disposed of. */
export interface SavedImages extends FileArchive, Disposable {
  readonly ids: readonly Digest[]
}

/** An image, and the names that it gets in the archive. */
interface Chosen {
  readonly record: ImageRecord
  readonly references: readonly Reference[]
  /** Complete indexes that some of the names stand for. */
  readonly indexes: readonly WholeIndex[]
}

/** Plans the archive of these images. A name with a tag is saved with that tag, a repository without one with all its
 *  tags, an id without names. Throws `notFound` with Docker's texts, and `dataLoss` when a blob is missing. */
export async function saveImages(
  { store, content, leases }: SaveDependencies,
  names: readonly string[],
  { platform }: SaveOptions = {},
): Promise<SavedImages> {
  if (names.length === 0) throw invalidArgument('no image to save was named')
  const lease = leases.create()
  try {
    const images: Chosen[] = []
    for (const one of chooseImages(store, names, platform)) {
      const indexes = platform === undefined ? await wholeIndexes({ store, content }, one.record, one.references) : []
      images.push({ ...one, indexes })
    }
    const blobs = new Map(images.flatMap(blobsOfChosen).map((one) => [one.digest, one]))
    for (const digest of blobs.keys()) lease.add({ kind: 'blob', key: digest })
    for (const blob of blobs.values()) await checkStored(content, blob)
    const archive = archiveOf(archiveMembers(images, blobs, (digest) => content.pathOf(digest)))
    return { ...archive, ids: images.map(({ record }) => record.id), [Symbol.dispose]: () => lease.release() }
  } catch (error) {
    lease.release()
    throw error
  }
}

function chooseImages(
  store: ImageStore,
  names: readonly string[],
  platform: Platform | undefined,
): Omit<Chosen, 'indexes'>[] {
  const chosen = new Map<Digest, Map<string, Reference>>()
  for (const name of names) {
    for (const { id: named, reference } of findNamed(store, name)) {
      const text = reference === undefined ? name : familiarReference(reference)
      const { id } = platform === undefined ? { id: named } : store.resolve(text, { platform })
      const references = chosen.get(id) ?? new Map<string, Reference>()
      if (reference !== undefined) references.set(formatReference(reference), reference)
      chosen.set(id, references)
    }
  }
  return [...chosen].map(([id, references]) => {
    const record = store.findRecord(id)
    if (record === undefined) throw notFound(`No such image: ${id}`)
    return { record, references: [...references.values()] }
  })
}

interface Named {
  readonly id: Digest
  readonly reference?: Reference
}

function findNamed(store: ImageStore, name: string): Named[] {
  if (isDigest(name) || /^[0-9a-f]{64}$/.test(name)) return [{ id: store.resolve(name).id }]
  const reference = parseReference(name)
  if (familiarName(reference) === 'sha256') return [{ id: store.resolve(name).id }]
  if (reference.tag !== undefined || reference.digest !== undefined) {
    // If there is a digest, the tag beside it is ignored.
    const found = store.names.find(reference.digest === undefined ? reference : withDigest(reference, reference.digest))
    if (found === undefined) throw notFound('reference does not exist')
    return [{ id: found.imageId, ...(reference.digest === undefined ? { reference } : {}) }]
  }
  const tagged = tagsOf(store, reference)
  if (tagged.length > 0) return tagged
  const id = onlyIdWithPrefix(store, name)
  if (id === undefined) throw notFound(`No such image: ${name}`)
  return [{ id }]
}

function tagsOf(store: ImageStore, { registry, repository }: Reference): Named[] {
  const found: Required<Named>[] = []
  for (const { id } of store.records()) {
    for (const { reference } of store.names.of(id)) {
      if (reference.tag === undefined) continue
      if (reference.registry === registry && reference.repository === repository) found.push({ id, reference })
    }
  }
  return found.sort((a, b) => (formatReference(a.reference) < formatReference(b.reference) ? -1 : 1))
}

/** Manifest and config first, so that a reader of the stream knows the layers before they come. */
function blobsOf({ id, configSize, manifest, layers }: ImageRecord): Descriptor[] {
  const config = { mediaType: mediaTypes.ociConfig, digest: id, size: configSize }
  return [manifest, config, ...layers.map(({ blob }) => blob)]
}

function blobsOfChosen({ record, indexes }: Chosen): Descriptor[] {
  const members = indexes.flatMap((index) => index.members)
  const own = indexes.flatMap(({ target, attached }) => [target, ...attached])
  return [...own, ...[record, ...members].flatMap(blobsOf)]
}

async function checkStored(content: LocalContentStore, { digest, size }: Descriptor): Promise<void> {
  const found = await content.find(digest)
  if (found === undefined) throw new BerthError('dataLoss', `blob ${digest} is missing from the content store`)
  if (found.sizeBytes === size) return
  throw new BerthError('dataLoss', `blob ${digest} has ${found.sizeBytes} bytes instead of ${size}`)
}

function archiveMembers(
  images: readonly Chosen[],
  blobs: ReadonlyMap<Digest, Descriptor>,
  pathOf: (digest: Digest) => string,
): ArchiveMember[] {
  const members = images.flatMap(({ record, indexes }) => [record, ...indexes.flatMap((one) => one.members)])
  const layers = new Set(members.flatMap((record) => record.layers.map(({ blob }) => blob.digest)))
  const ordered = [...blobs.values()].sort((a, b) => Number(layers.has(a.digest)) - Number(layers.has(b.digest)))
  const repositories = repositoriesOf(images)
  return [
    directory('blobs/'),
    ...[...new Set(['sha256', ...ordered.map(({ digest }) => algorithmOf(digest))])].map((algorithm) =>
      directory(`blobs/${algorithm}/`),
    ),
    json('oci-layout', { imageLayoutVersion: '1.0.0' }),
    json('index.json', indexOf(images)),
    json('manifest.json', images.map(manifestItem)),
    ...(Object.keys(repositories).length === 0 ? [] : [json('repositories', repositories)]),
    ...ordered.map(
      ({ digest, size }): ArchiveMember => ({
        entry: { type: 'file', path: blobPath(digest) },
        content: { path: pathOf(digest), sizeBytes: size },
      }),
    ),
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

/** The layout's index, with an entry for each name: `ctr`, podman and skopeo look up names there. */
function indexOf(images: readonly Chosen[]): object {
  const manifests = images.flatMap(({ record, references, indexes }): object[] => {
    const indexOfName = (reference: Reference) => indexes.find((one) => one.references.includes(reference))
    if (references.length === 0) return [entryOf(record.manifest)]
    return references.map((reference) => ({
      ...entryOf(indexOfName(reference)?.target ?? record.manifest),
      annotations: {
        'io.containerd.image.name': formatReference(reference),
        'org.opencontainers.image.ref.name': reference.tag,
      },
    }))
  })
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }
}

function entryOf({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}

/** An entry of manifest.json, which `docker load` reads. */
function manifestItem({ record, references }: Chosen): object {
  return {
    Config: blobPath(record.id),
    RepoTags: references.length === 0 ? null : references.map(familiarReference),
    Layers: record.layers.map(({ blob }) => blobPath(blob.digest)),
  }
}

/** The file `repositories` for the oldest readers: tags with the id of the top layer. */
function repositoriesOf(images: readonly Chosen[]): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const found: Record<string, Record<string, string>> = {}
  for (const { record, references } of images) {
    const top = record.layers.at(-1)?.blob.digest ?? record.id
    for (const reference of references) {
      const tags = found[familiarName(reference)] ?? {}
      tags[reference.tag ?? ''] = hexOf(top)
      found[familiarName(reference)] = tags
    }
  }
  return found
}
