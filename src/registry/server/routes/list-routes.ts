/** Routes for lists: the catalog, tags, referrers. */
import { mediaTypes } from '../../../oci/index.ts'
import type { Permission } from '../http/authorize-request.ts'
import type { RegistryExchange } from '../http/registry-exchange.ts'
import type { RouteContext } from '../http/route-context.ts'
import type { NamePage } from '../library/pull-source.ts'
import { findBlobDigest } from '../model/blob-digest.ts'
import { nextLink, parsePage } from '../model/pages.ts'
import { RegistryError } from '../model/registry-error.ts'

/** `GET /v2/_catalog`: repositories that the client may see. */
export async function getCatalog(
  { source, limits }: RouteContext,
  exchange: RegistryExchange,
  { canSee }: Permission,
): Promise<void> {
  const { count, after } = parsePage(exchange.request.query)
  const limit = Math.min(count ?? limits.pageEntries, limits.pageEntries)
  const page = await collect(limit, after, canSee, (options) => source.listRepositories(options))
  const next = page.next === undefined ? {} : nextLink(exchange.request.path, { last: page.next, n: `${limit}` })
  exchange.answer.sendJson(200, { repositories: page.names }, next)
}

/** `GET /v2/<name>/tags/list`: all tags, or the requested page. */
export async function getTags({ source, limits }: RouteContext, exchange: RegistryExchange, repository: string) {
  const { count, after } = parsePage(exchange.request.query)
  const limit = count === undefined ? Number.POSITIVE_INFINITY : Math.min(count, limits.pageEntries)
  const page = await collect(limit, after, undefined, async (options) => {
    const found = await source.listTags(repository, options)
    if (found === undefined) throw new RegistryError('NAME_UNKNOWN', { detail: { name: repository } })
    return found
  })
  const next = page.next === undefined ? {} : nextLink(exchange.request.path, { last: page.next, n: `${limit}` })
  exchange.answer.sendJson(200, { name: repository, tags: page.names }, next)
}

/** `GET /v2/<name>/referrers/<digest>`: an index of the manifests with that subject. Never 404. */
export async function getReferrers(
  { source, referrers, limits }: RouteContext,
  exchange: RegistryExchange,
  repository: string,
  subject: string,
): Promise<void> {
  const digest = findBlobDigest(subject)
  if (digest === undefined) throw new RegistryError('DIGEST_INVALID', { detail: { digest: subject } })
  const artifactType = exchange.request.query.optional('artifactType')
  const { count, after = '' } = parsePage(exchange.request.query)
  const limit = Math.min(count ?? limits.pageEntries, limits.pageEntries)
  const known = (await source.listReferrers?.(repository, digest)) ?? (await referrers.list(repository, digest))
  const all = known.filter((referrer) => {
    return referrer.digest > after && (artifactType === undefined || referrer.artifactType === artifactType)
  })
  const manifests = all.slice(0, limit)
  const last = all.length > limit ? manifests.at(-1)?.digest : undefined
  const filter: Readonly<Record<string, string>> = artifactType === undefined ? {} : { artifactType }
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }
  exchange.answer.sendJson(200, index, {
    'Content-Type': mediaTypes.ociIndex,
    ...(artifactType === undefined ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
    ...(last === undefined ? {} : nextLink(exchange.request.path, { ...filter, last, n: `${limit}` })),
  })
}

/** Collects up to `limit` visible names from as many pages of the storage as needed. */
async function collect(
  limit: number,
  after: string | undefined,
  canSee: ((name: string) => boolean) | undefined,
  list: (options: { after?: string; limit: number }) => Promise<NamePage>,
): Promise<NamePage> {
  const names: string[] = []
  let position = after
  for (;;) {
    // One more than wanted tells whether there is a next page.
    const wanted = Math.min(limit - names.length + 1, 1000)
    const page = await list({ limit: wanted, ...(position === undefined ? {} : { after: position }) })
    names.push(...page.names.filter((name) => canSee?.(name) !== false))
    if (names.length > limit) {
      const kept = names.slice(0, limit)
      return { names: kept, next: kept.at(-1) }
    }
    if (page.next === undefined) return { names, next: undefined }
    position = page.next
  }
}
