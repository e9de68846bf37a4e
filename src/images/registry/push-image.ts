/** Pushes to a registry what a name stands for, with the original bytes of manifest and config. */
import { invalidArgument, notFound } from '../../base/index.ts'
import type { Lease, Leases } from '../../content/index.ts'
import type { ProgressOptions } from '../../contract/index.ts'
import {
  type Descriptor,
  type Digest,
  digestOf,
  familiarName,
  familiarReference,
  formatManifest,
  isManifestType,
  type Manifest,
  mediaTypes,
  type Platform,
  parseManifestDocument,
  type Reference,
  withDigest,
  withTag,
} from '../../oci/index.ts'
import {
  type ManifestUpload,
  pushError,
  putManifest,
  type RegistryAuth,
  type RegistryClient,
  type Repository,
  uploadBlob,
} from '../../registry/client/index.ts'
import type { ImageLayer, ImageRecord, NamedTarget } from '../catalog/image.ts'
import { membersOf } from '../catalog/image-store.ts'
import type { ActivityGate } from '../gc/activity-gate.ts'
import { compressLayer, isUncompressed } from '../layers/compress-layer.ts'
import { announceLayers, type PushParts, pushBlobs, sourceOf } from './push-blobs.ts'

/** What pushing needs. */
export interface PushDependencies extends PushParts {
  readonly leases: Leases
  readonly registries: RegistryClient
  readonly gate: ActivityGate
  /** Called with a record whose blobs were replaced by compressed ones. */
  readonly onReplaced: (before: ImageRecord) => void
}

/** How to push. */
export interface PushRequest extends ProgressOptions {
  readonly platform?: Platform | undefined
  readonly auth?: RegistryAuth | undefined
}

/** The push of one tag. */
interface TagPush {
  readonly reference: Reference & { readonly tag: string }
  readonly repository: Repository
  readonly request: PushRequest
  readonly lease: Lease
}

/** Pushes one tag, or all tags of the repository when the reference has none. Throws with Docker's texts. */
export async function pushImage(deps: PushDependencies, wanted: Reference, request: PushRequest): Promise<void> {
  // These errors still get an HTTP status. After the first message there is only the stream.
  if (request.platform !== undefined) deps.store.resolve(familiarReference(wanted), { platform: request.platform })
  request.onProgress?.({ status: `The push refers to repository [${wanted.registry}/${wanted.repository}]` })
  const tags = tagsOf(deps, wanted)
  const repository = deps.registries.repository(wanted, request.auth, { actions: 'pull,push' })
  for (const tag of tags) {
    using lease = deps.leases.create()
    const reference = { ...withTag(wanted, tag), tag }
    try {
      await pushTag(deps, { reference, repository, request, lease })
    } catch (error) {
      throw pushError(error)
    }
  }
}

/** The tags to push, in alphabetical order. */
function tagsOf({ store }: PushDependencies, wanted: Reference): readonly string[] {
  const references = [...store.names.all()]
    .map(({ reference }) => reference)
    .filter((one) => one.registry === wanted.registry && one.repository === wanted.repository)
  if (references.length === 0) {
    throw notFound(`An image does not exist locally with the tag: ${familiarName(wanted)}`)
  }
  if (wanted.digest !== undefined) throw invalidArgument('cannot push a digest reference')
  const tags = references.flatMap(({ tag }) => (tag === undefined ? [] : [tag])).sort()
  if (wanted.tag === undefined) {
    if (tags.length === 0) throw notFound(`no tags to push for ${familiarName(wanted)}`)
    return tags
  }
  if (!tags.includes(wanted.tag)) throw notFound(`tag does not exist: ${familiarReference(wanted)}`)
  return [wanted.tag]
}

async function pushTag(deps: PushDependencies, push: TagPush): Promise<void> {
  const { reference, request } = push
  const name = deps.store.names.find(reference)
  const found = name === undefined ? undefined : recordToPush(deps, name, request)
  if (name === undefined || found === undefined) {
    throw notFound(`tag does not exist: ${familiarReference(reference)}`)
  }
  const index = name.target.digest === found.manifest.digest ? undefined : name.target
  const isOfIndex = index !== undefined && request.platform === undefined
  const others = isOfIndex ? membersOf(deps.store, index.digest).filter(({ id }) => id !== found.id) : []
  push.lease.add({ kind: 'blob', key: name.target.digest })
  for (const one of [found, ...others]) hold(push.lease, one)
  announceLayers(found.layers, request.onProgress ?? (() => {}))
  const record = await withCompressedLayers(deps, found, push)
  const whole = isOfIndex ? await readWholeIndex(deps, index, [record, ...others]) : undefined
  // The manifest is pushed under its digest, so that the tag moves from its old target to the index in one step.
  const pushed = await pushManifest(deps, record, push, whole === undefined ? reference.tag : record.manifest.digest)
  if (whole !== undefined) {
    for (const other of others) await pushManifest(deps, other, push, other.manifest.digest)
    for (const one of [record, ...others]) await pushAttachments(deps, one, push)
    await putManifest(push.repository, { target: reference.tag, ...whole }, request)
  }
  const target = whole === undefined || index === undefined ? pushed : index
  finish(deps, record, target, push)
  if (index !== undefined && target !== index) tellOfIndex(index, target, push)
}

/** The image that has the name, or the one of the requested platform. */
function recordToPush(
  { store }: PushDependencies,
  { imageId, reference }: NamedTarget & { readonly imageId: Digest },
  { platform }: PushRequest,
): ImageRecord | undefined {
  return store.findRecord(
    platform === undefined ? imageId : store.resolve(familiarReference(reference), { platform }).id,
  )
}

function hold(lease: Lease, { id, manifest, layers, attachments = [] }: ImageRecord): void {
  for (const digest of [id, manifest.digest]) lease.add({ kind: 'blob', key: digest })
  for (const { blob } of layers) lease.add({ kind: 'blob', key: blob.digest })
  for (const { digest } of attachments) lease.add({ kind: 'blob', key: digest })
}

/** Compresses the layers of an image whose manifest this engine made for plain layers, once, and makes a new
 *  manifest. */
async function withCompressedLayers(
  deps: PushDependencies,
  record: ImageRecord,
  { request, lease }: TagPush,
): Promise<ImageRecord> {
  if (record.isManifestMade !== true || !record.layers.some(({ blob }) => isUncompressed(blob))) return record
  return await deps.gate.make(async () => {
    // One after the other, because each compression uses all processors.
    const layers: ImageLayer[] = []
    for (const layer of record.layers) {
      const blob = isUncompressed(layer.blob) ? await compressLayer(deps, layer, lease, request) : layer.blob
      layers.push({ ...layer, blob })
    }
    const blobs = layers.map(({ blob }) => blob)
    const config = { mediaType: mediaTypes.ociConfig, digest: record.id, size: record.configSize }
    const made: Manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: blobs }
    const bytes = formatManifest(made)
    const manifest = { mediaType: made.mediaType, digest: digestOf(bytes), size: bytes.length }
    lease.add({ kind: 'blob', key: manifest.digest })
    await deps.content.put(bytes)
    return replaceManifest(deps, record, { ...record, manifest, layers })
  })
}

/** Stores the record with the new manifest, unless it was removed or changed meanwhile. */
function replaceManifest(
  { store, onReplaced }: PushDependencies,
  before: ImageRecord,
  after: ImageRecord,
): ImageRecord {
  const current = store.findRecord(before.id)
  if (current?.manifest.digest !== before.manifest.digest) return after
  const isOld = ({ reference, target }: NamedTarget) =>
    target.digest === before.manifest.digest && reference.digest === undefined
  const names = store.names.of(before.id).filter(isOld)
  const renamed = names.map(({ reference }): NamedTarget => ({ reference, target: after.manifest }))
  store.put({ ...current, manifest: after.manifest, layers: after.layers }, renamed)
  onReplaced(before)
  return after
}

/** Pushes the blobs, then the manifest with its original bytes, under a tag or its digest. */
async function pushManifest(
  deps: PushDependencies,
  record: ImageRecord,
  { reference, repository, request }: TagPush,
  target: string,
): Promise<Descriptor> {
  const { digest, size, mediaType: known } = record.manifest
  const bytes = await deps.content.read(digest)
  const document = parseManifestDocument(bytes, known)
  if (document.type !== 'manifest') throw invalidArgument(`manifest of ${record.id} is an index`)
  const { config, layers, mediaType } = document.manifest
  const blobs = layers.map((blob, at) => ({ blob, diffId: record.layers[at]?.diffId ?? blob.digest }))
  await pushBlobs(deps, repository, reference, { layers: blobs, config }, request)
  await putManifest(repository, { target, bytes, mediaType }, request)
  return { mediaType, digest, size }
}

/** The index that a name stands for, if everything that it lists is stored; else undefined. */
async function readWholeIndex(
  { content }: PushDependencies,
  index: Descriptor,
  records: readonly ImageRecord[],
): Promise<Pick<ManifestUpload, 'bytes' | 'mediaType'> | undefined> {
  if ((await content.find(index.digest)) === undefined) return undefined
  const bytes = await content.read(index.digest)
  const document = parseManifestDocument(bytes, index.mediaType)
  const here = new Set(
    records.flatMap(({ manifest, attachments = [] }) => [manifest, ...attachments].map(({ digest }) => digest)),
  )
  const isWhole = document.type === 'index' && document.index.manifests.every(({ digest }) => here.has(digest))
  return isWhole ? { bytes, mediaType: document.index.mediaType } : undefined
}

/** Pushes what the index lists beside the images: first blobs, then the manifests that list them. */
async function pushAttachments(
  { content }: PushDependencies,
  { attachments = [] }: ImageRecord,
  { repository, request }: TagPush,
): Promise<void> {
  const manifests = attachments.filter(({ mediaType }) => isManifestType(mediaType))
  for (const blob of attachments) {
    if (!manifests.includes(blob)) await uploadBlob(repository, sourceOf(content, blob), { signal: request.signal })
  }
  for (const { digest, mediaType } of manifests) {
    await putManifest(repository, { target: digest, bytes: await content.read(digest), mediaType }, request)
  }
}

/** Reports what was pushed, and stores the name with its digest. */
function finish(
  { store }: PushDependencies,
  record: ImageRecord,
  target: Descriptor,
  { reference, request }: TagPush,
): void {
  const { digest, size } = target
  request.onProgress?.({ status: `${reference.tag}: digest: ${digest} size: ${size}` })
  request.onProgress?.({ progressDetail: {}, aux: { Tag: reference.tag, Digest: digest, Size: size } })
  const current = store.findRecord(record.id)
  // The image may have been removed during the push.
  if (current !== undefined) store.put(current, [{ reference: withDigest(reference, digest), target }])
}

/** Sends Docker's note that only one platform of several was stored here. */
function tellOfIndex(index: Descriptor, pushed: Descriptor, { request }: TagPush): void {
  if (request.platform !== undefined) return
  const selectedManifest = { mediaType: pushed.mediaType, digest: pushed.digest, size: pushed.size }
  const originalIndex = { mediaType: index.mediaType, digest: index.digest, size: index.size }
  const aux = { manifestPushedInsteadOfIndex: true, originalIndex, selectedManifest }
  request.onProgress?.({ progressDetail: {}, aux })
}
