import type { Filters } from '../../api/index.ts'
import { booleanFilter, decodeFilters } from '../../contract/index.ts'
import type { Query } from '../../http/index.ts'

const listFilters: ReadonlySet<string> = new Set([
  'before',
  'dangling',
  'label',
  'label!',
  'reference',
  'since',
  'until',
])

const pruneFilters: ReadonlySet<string> = new Set(['dangling', 'label', 'label!', 'until'])

/** `filters` of a list of images. */
export function readListFilters(query: Query): Filters {
  return checkDangling(decodeFilters(query.text('filters'), listFilters))
}

/** `filters` of a prune of images. */
export function readPruneFilters(query: Query): Filters {
  return checkDangling(decodeFilters(query.text('filters'), pruneFilters))
}

/** Refuses a wrong value of `dangling`. */
function checkDangling(filters: Filters): Filters {
  booleanFilter(filters, 'dangling')
  return filters
}
