/** Parses the paths of `/v2/`. They are not unescaped: valid names and tags need no escapes, so `%2e%2e` and the like
 *  are just invalid names. */
import { isRepositoryName } from '../model/repository-name.ts'

/** The meaning of a path. */
export type RequestTarget =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'upload-start'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: string }
  /** The path has the form of one of the others, but the repository's name is invalid. */
  | { readonly kind: 'bad-name'; readonly repository: string }

const patterns: readonly (readonly [RegExp, (repository: string, rest: string) => RequestTarget])[] = [
  [/^(.+)\/tags\/list$/, (repository) => ({ kind: 'tags', repository })],
  [/^(.+)\/blobs\/uploads\/?$/, (repository) => ({ kind: 'upload-start', repository })],
  [/^(.+)\/blobs\/uploads\/([^/]+)$/, (repository, id) => ({ kind: 'upload', repository, id })],
  [/^(.+)\/blobs\/([^/]+)$/, (repository, rest) => ({ kind: 'blob', repository, digest: colonOf(rest) })],
  [/^(.+)\/manifests\/([^/]+)$/, (repository, rest) => ({ kind: 'manifest', repository, reference: colonOf(rest) })],
  [/^(.+)\/referrers\/([^/]+)$/, (repository, rest) => ({ kind: 'referrers', repository, digest: colonOf(rest) })],
]

/** Parses a path without its query; undefined if it is not a path of the protocol. */
export function parseTarget(path: string): RequestTarget | undefined {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' }
  if (!path.startsWith('/v2/')) return undefined
  const rest = path.slice('/v2/'.length)
  if (rest === '_catalog') return { kind: 'catalog' }
  for (const [pattern, make] of patterns) {
    const match = pattern.exec(rest)
    if (match === null) continue
    const [, repository = '', tail = ''] = match
    return isRepositoryName(repository) ? make(repository, tail) : { kind: 'bad-name', repository }
  }
  return undefined
}

/** Some clients escape the colon of a digest. */
function colonOf(text: string): string {
  return text.replace(/%3a/i, ':')
}
