/** Names with images for several platforms. Such a name stands for an index. One image has the name; the records of the
 *  others say that the index lists them. */
import { notFound } from '../../base/index.ts'
import {
  bestPlatform,
  type Descriptor,
  type Digest,
  formatPlatform,
  hostPlatform,
  isIndexType,
  type Platform,
  platformOfConfig,
  platformRank,
} from '../../oci/index.ts'
import type { ImageRecord, NamedRecord, NamedTarget } from './image.ts'
import { type ImageStore, membersOf } from './image-store.ts'

/** True for an image that has no name itself, but belongs to the name of an index. */
export function isOnlyMember(store: ImageStore, { id, partOf }: ImageRecord): boolean {
  return partOf?.some((index) => store.names.isTarget(index)) === true && store.names.of(id).length === 0
}

/** The names of the indexes that list an image. Another image has these names. */
export function namesOfIndexes(store: ImageStore, { partOf = [] }: ImageRecord): NamedTarget[] {
  const found: NamedTarget[] = []
  for (const name of store.names.all()) if (partOf.includes(name.target.digest)) found.push(name)
  return found
}

/** A record that also says that `index` lists it. Indexes that no name stands for any more are dropped from it. */
export function asMember(store: ImageStore, record: ImageRecord, index: Digest): ImageRecord {
  const before = store.findRecord(record.id)?.partOf ?? []
  return { ...record, partOf: [...before.filter((one) => one !== index && store.names.isTarget(one)), index] }
}

/** The images of an index with its names, ready to be stored. The names go to the image that suits this host best, or
 *  to the first one. */
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

/** A selection of the images of one name. */
export interface ChosenMembers {
  /** The index or manifest that the name stands for. */
  readonly target: Descriptor
  readonly members: readonly ImageRecord[]
  /** The images of the name that were not selected. */
  readonly left: readonly ImageRecord[]
}

/** Selects the images of a name for exactly these platforms. Throws `notFound` for a platform without an image. */
export function chooseMembers(store: ImageStore, name: string, platforms: readonly Platform[]): ChosenMembers {
  const { id, manifest } = store.resolve(name)
  const target = store.names.lookUp(name)?.target ?? manifest
  const own = store.findRecord(id)
  const others = isIndexType(target.mediaType) ? membersOf(store, target.digest).filter((one) => one.id !== id) : []
  const all = own === undefined ? others : [own, ...others]
  const members = new Set<ImageRecord>()
  for (const platform of platforms) {
    const member = all.find(({ config }) => platformRank(platform, platformOfConfig(config)) === 0)
    if (member === undefined) {
      throw notFound(
        `image with reference ${name} was found but does not provide the specified platform (${formatPlatform(platform)})`,
      )
    }
    members.add(member)
  }
  return { target, members: [...members], left: all.filter((one) => !members.has(one)) }
}

/** The images that stay after a removal, ready to be stored, with the names of the removed ones that stand for the
 *  index. */
export function withoutMembers(store: ImageStore, { target, members, left }: ChosenMembers): readonly NamedRecord[] {
  const names = members.flatMap(({ id }) => store.names.of(id)).filter((name) => name.target.digest === target.digest)
  return namedIndex(store, target, left, names)
}
