/** Adds a built image to the engine's store. */
import { type ImageParts, type ImageRecord, type NamedTarget, namedIndex } from '../../../images/index.ts'
import {
  bestPlatform,
  type Descriptor,
  formatReference,
  hostPlatform,
  isIndexType,
  type Reference,
} from '../../../oci/index.ts'
import type { AssembledImage, AssembledPart } from './assemble-image.ts'

/** Writes the records and points the names to them in one transaction. Gives the record that gets the names: that of
 *  the image that fits this host best. The caller must hold blobs and snapshots. */
export function storeBuiltImage(
  { store }: ImageParts,
  assembled: AssembledImage,
  names: readonly Reference[],
): ImageRecord {
  const { parts, top } = assembled
  const main = bestPlatform(hostPlatform(), parts, ({ image }) => image.platform) ?? parts[0]
  const lastTagTime = names.length === 0 ? '' : new Date().toISOString()
  const records = parts.map((part) => recordOf(store, part, assembled, names))
  const named = records.map((record): ImageRecord => ({ ...record, lastTagTime }))
  const targets = names.map((reference) => ({ reference, target: top.descriptor }))
  const record = named[parts.indexOf(main)] ?? named[0]
  if (record === undefined) throw new Error('an image without a platform')
  if (parts.length > 1) store.putAll(namedIndex(store, top.descriptor, named, targets))
  else store.put(record, targets)
  return record
}

function recordOf(
  store: ImageParts['store'],
  part: AssembledPart,
  { top }: AssembledImage,
  names: readonly Reference[],
): Omit<ImageRecord, 'lastTagTime'> {
  const { image, config, manifest, layers, attestation } = part
  const before = store.findRecord(config.descriptor.digest)
  const own = attestation === undefined ? [] : [attestation.descriptor, attestation.config, ...attestation.layers]
  const attachments = [...own, ...attachmentsOfOthers(store, before, { top, own, names })]
  return {
    version: 1,
    id: config.descriptor.digest,
    config: image.config,
    configSize: config.descriptor.size,
    manifest: manifest.descriptor,
    // A push may make a new manifest for the image only if no name refers to more than the manifest.
    ...(top === manifest ? { isManifestMade: true } : {}),
    layers,
    ...(attachments.length === 0 ? {} : { attachments }),
    ...(before?.partOf === undefined ? {} : { partOf: before.partOf }),
    ...(before?.parent === undefined ? {} : { parent: before.parent }),
  }
}

interface NewTarget {
  readonly top: AssembledImage['top']
  readonly own: readonly Descriptor[]
  readonly names: readonly Reference[]
}

/** Attachments of an equal image that was built earlier with other attestations. Other names still refer to them. */
function attachmentsOfOthers(
  store: ImageParts['store'],
  before: ImageRecord | undefined,
  { top, own, names }: NewTarget,
): readonly Descriptor[] {
  if (before?.attachments === undefined) return []
  const taken = new Set(names.map(formatReference))
  const isOther = ({ reference, target }: NamedTarget) =>
    isIndexType(target.mediaType) && target.digest !== top.descriptor.digest && !taken.has(formatReference(reference))
  const isOfIndex = before.partOf?.some((index) => store.names.isTarget(index)) === true
  if (!isOfIndex && !store.names.of(before.id).some(isOther)) return []
  const known = new Set([top.descriptor, ...own].map(({ digest }) => digest))
  return before.attachments.filter(({ digest }) => !known.has(digest))
}
