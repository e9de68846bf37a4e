/** An image that was built becomes one of the engine's. */
import type { ImageParts, ImageRecord } from '../../images/index.ts'
import type { Descriptor, Reference } from '../../oci/index.ts'
import type { BuiltImage } from '../built-image.ts'
import type { AssembledImage } from './assemble-image.ts'

/** Writes the record and points the names to it, in one transaction. Blobs and snapshots must be held. */
export function storeBuiltImage(
  { store }: ImageParts,
  { config }: BuiltImage,
  assembled: AssembledImage,
  names: readonly Reference[],
): ImageRecord {
  const { manifest, layers, top, attestation } = assembled
  const id = assembled.config.descriptor.digest
  const own = attestation === undefined ? [] : [attestation.descriptor, attestation.config, ...attestation.layers]
  const attachments = [...own, ...attachmentsOfOthers(store.findRecord(id), top, own)]
  const record: ImageRecord = {
    version: 1,
    id,
    config,
    configSize: assembled.config.descriptor.size,
    manifest: manifest.descriptor,
    // A push may make another manifest of it only where no name stands for more than the manifest.
    ...(top === manifest ? { isManifestMade: true } : {}),
    layers,
    ...(attachments.length === 0 ? {} : { attachments }),
    lastTagTime: names.length === 0 ? '' : new Date().toISOString(),
  }
  store.put(
    record,
    names.map((reference) => ({ reference, target: top.descriptor })),
  )
  return record
}

/** The same image may have been built before with other attestations, which its other names still stand for. */
function attachmentsOfOthers(
  before: ImageRecord | undefined,
  top: AssembledImage['top'],
  own: readonly Descriptor[],
): readonly Descriptor[] {
  const known = new Set([top.descriptor, ...own].map(({ digest }) => digest))
  return (before?.attachments ?? []).filter(({ digest }) => !known.has(digest))
}
