/** Lists in pages: the query's `n` and `last`, and the `Link` header to the next page.
 *  https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags */
import type { Query } from '../../../http/index.ts'
import { RegistryError } from './registry-error.ts'

export interface PageRequest {
  /** Undefined if the client sent none. */
  readonly count: number | undefined
  readonly after: string | undefined
}

/** Reads `n` and `last`. Throws PAGINATION_NUMBER_INVALID unless `n` is a whole number of at least 0. */
export function parsePage(query: Query): PageRequest {
  const text = query.optional('n')
  if (text !== undefined && !/^\d{1,9}$/.test(text)) {
    throw new RegistryError('PAGINATION_NUMBER_INVALID', { detail: { n: text } })
  }
  return { count: text === undefined ? undefined : Number(text), after: query.optional('last') }
}

/** The header with the URL of the next page, relative to this one, as RFC 8288 allows and clients expect. */
export function nextLink(path: string, parameters: Readonly<Record<string, string>>): { readonly Link: string } {
  return { Link: `<${path}?${new URLSearchParams(parameters)}>; rel="next"` }
}
