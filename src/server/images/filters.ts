import { invalidArgument } from '../../base/index.ts'
import { decodeFilters, type Query } from '../../http/index.ts'
import type { Filters } from '../containers/index.ts'

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

function checkDangling(filters: Filters): Filters {
  for (const value of filters.dangling ?? []) {
    if (!['true', 'false', '1', '0'].includes(value)) throw invalidArgument(`invalid filter 'dangling=[${value}]'`)
  }
  return filters
}
