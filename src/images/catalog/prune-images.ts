import type { Filters } from '../../api/index.ts'
import { nowNs, parseNs } from '../../base/index.ts'
import { booleanFilter, checkFilters, hasWantedLabels, untilFilter } from '../../contract/index.ts'
import type { Digest } from '../../oci/index.ts'
import type { Image, ImageUse } from './image.ts'
import type { ImageStore } from './image-store.ts'
import { isOnlyMember } from './index-members.ts'

/** The images that `POST /images/prune` removes, newest first. By default these are images without a tag that neither
 *  containers use nor other images have as parent; with `dangling=false`, all that no container uses. */
export function prunableImages(store: ImageStore, use: ImageUse, filters: Filters): Digest[] {
  checkFilters(filters, ['dangling', 'label', 'label!', 'until'])
  const onlyDangling = booleanFilter(filters, 'dangling') ?? true
  const until = untilFilter(filters, nowNs())
  const parents = new Set([...store.records()].map((record) => record.parent))
  const isWanted = (image: Image) => {
    const isParent = parents.has(image.id)
    if (onlyDangling && (isParent || image.references.length > 0)) return false
    // A parent without a name is removed with its last child.
    return !isParent || image.references.length + image.digests.length > 0
  }
  return [...store.records()]
    .filter((record) => !isOnlyMember(store, record))
    .map(({ id }) => store.find(id))
    .filter((image) => image !== undefined)
    .filter((image) => isWanted(image) && use.containersUsing(image.id).length === 0)
    .filter((image) => until === undefined || createdNs(image) < until)
    .filter((image) => hasWantedLabels(image.config.config?.Labels ?? {}, filters))
    .sort((one, other) => (createdNs(one) < createdNs(other) ? 1 : -1))
    .map((image) => image.id)
}

function createdNs({ created }: Image): bigint {
  return parseNs(created) ?? 0n
}
