/** Lists in pages: `n` entries after `last`, and a `Link` to the next page. */
import type { Query } from '../../../http/index.ts'
import { RegistryError } from './registry-error.ts'

export interface PageRequest {
  /** Undefined: the client did not say. */
  readonly count: number | undefined
  readonly after: string | undefined
}

/** Reads `n` and `last`. Anything but a whole number from 0 on is refused. */
export function parsePage(query: Query): PageRequest {
  const text = query.optional('n')
  if (text !== undefined && !/^\d{1,9}$/.test(text)) {
    throw new RegistryError('PAGINATION_NUMBER_INVALID', { detail: { n: text } })
  }
  return { count: text === undefined ? undefined : Number(text), after: query.optional('last') }
}

/** The header that leads to the page after `last`. Relative to this one, as RFC 8288 allows and clients expect. */
export function nextLink(path: string, parameters: Readonly<Record<string, string>>): { readonly Link: string } {
  return { Link: `<${path}?${new URLSearchParams(parameters)}>; rel="next"` }
}
