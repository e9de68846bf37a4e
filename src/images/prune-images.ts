import { invalidArgument, nowNs, parseNs } from '../base/index.ts'
import type { Digest } from '../oci/index.ts'
import type { ImageUse } from './image.ts'
import { booleanFilter, checkFilters, type Filters, matchesLabels, parseUntil } from './image-filters.ts'
import type { ImageStore } from './image-store.ts'

/** The images that `POST /images/prune` removes: by default those without a name that nobody uses. */
export function pruneImages(store: ImageStore, use: ImageUse, filters: Filters): Digest[] {
  checkFilters(filters, ['dangling', 'label', 'label!', 'until'])
  const onlyDangling = booleanFilter(filters, 'dangling') ?? true
  const untils = filters.until ?? []
  if (untils.length > 1) throw invalidArgument('more than one until filter specified')
  const until = untils[0] === undefined ? undefined : parseUntil(untils[0], nowNs())
  const parents = new Set([...store.records()].map((record) => record.parent))
  return [...store.records()]
    .map(({ id }) => store.find(id))
    .filter((image) => image !== undefined)
    .filter((image) => !parents.has(image.id) && use.containersUsing(image.id).length === 0)
    .filter((image) => !onlyDangling || image.references.length + image.digests.length === 0)
    .filter((image) => until === undefined || (parseNs(image.created) ?? 0n) < until)
    .filter((image) => hasWantedLabels(image.config.config?.Labels ?? {}, filters))
    .map((image) => image.id)
}

function hasWantedLabels(labels: Readonly<Record<string, string>>, filters: Filters): boolean {
  if (!matchesLabels(labels, filters.label ?? [])) return false
  return !(filters['label!'] ?? []).some((pattern) => matchesLabels(labels, [pattern]))
}
