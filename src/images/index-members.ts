/** Images that one name has for several platforms: the name stands for an index, one of the images has the name, and the
 *  others are known to be listed there. */
import { bestPlatform, type Descriptor, type Digest, hostPlatform, platformOfConfig } from '../oci/index.ts'
import type { ImageRecord, NamedRecord, NamedTarget } from './image.ts'
import type { ImageStore } from './image-store.ts'

/** True for an image without a name of its own that belongs to the name of an index. */
export function isOnlyMember(store: ImageStore, { id, partOf }: ImageRecord): boolean {
  return partOf?.some((index) => store.isTarget(index)) === true && store.namesOf(id).length === 0
}

/** The names of the indexes that list an image, which another image has. */
export function namesOfIndexes(store: ImageStore, { partOf = [] }: ImageRecord): NamedTarget[] {
  const found: NamedTarget[] = []
  for (const reference of store.references()) {
    const name = store.findName(reference)
    if (name !== undefined && partOf.includes(name.target.digest)) found.push(name)
  }
  return found
}

/** The record as one that `index` lists; earlier indexes that no name stands for are forgotten. */
export function asMember(store: ImageStore, record: ImageRecord, index: Digest): ImageRecord {
  const before = store.findRecord(record.id)?.partOf ?? []
  return { ...record, partOf: [...before.filter((one) => one !== index && store.isTarget(one)), index] }
}

/** The images of an index as the store takes them: the names go to the one that suits this host best, else to the first
 *  one. */
export function namedIndex(
  store: ImageStore,
  index: Descriptor,
  records: readonly ImageRecord[],
  names: readonly NamedTarget[],
): readonly NamedRecord[] {
  const best = bestPlatform(hostPlatform(), records, ({ config }) => platformOfConfig(config)) ?? records[0]
  return records.map((record) => ({
    record: asMember(store, record, index.digest),
    names: record === best ? names : [],
  }))
}
