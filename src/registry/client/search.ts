/** Searches for repositories with the old protocol that Docker Hub and some registries still support: `GET
 *  /v1/search`. */
import { type AbortOptions, BerthError, invalidArgument, isKind } from '../../base/index.ts'
import { defaultRegistry, isObject } from '../../oci/index.ts'
import { basicHeader, type RegistryAuth } from './auth/credentials.ts'
import { findAuthorization, type LoginWays } from './auth/login.ts'
import { type HttpResponse, readBody } from './transport/http-transport.ts'

export type SearchWays = LoginWays

/** The words to search for, and the registry. */
export interface SearchTerm {
  readonly registry: string
  readonly words: string
  /** The number of results, 1 to 100. */
  readonly limit: number
}

/** A found repository, as the registry describes it. */
export interface FoundRepository {
  readonly name: string
  readonly description: string
  readonly starCount: number
  readonly isOfficial: boolean
}

const hubIndex = 'https://index.docker.io'
const maxAnswerBytes = 4 << 20
const defaultLimit = 25
const maxLimit = 100

/** Parses a user's search term. `HOST/words` searches that registry, everything else searches Docker Hub. A limit of 0
 *  means 25. Throws `invalidArgument` with Docker's messages. */
export function parseSearchTerm(text: string, limit: number): SearchTerm {
  if (/^https?:\/\//.test(text)) {
    throw invalidArgument(`invalid repository name: repository name (${text}) should not have a scheme`)
  }
  const wanted = limit === 0 ? defaultLimit : limit
  if (wanted < 1 || wanted > maxLimit) {
    throw invalidArgument(`limit ${wanted} is outside the range of [1, ${maxLimit}]`)
  }
  const slash = text.indexOf('/')
  const first = slash === -1 ? '' : text.slice(0, slash)
  if (!/[.:]/.test(first) && first !== 'localhost') return atHub(text, wanted)
  const words = text.slice(slash + 1)
  return first === defaultRegistry || first === 'index.docker.io'
    ? atHub(words, wanted)
    : { registry: first, words, limit: wanted }
}

function atHub(words: string, limit: number): SearchTerm {
  return { registry: defaultRegistry, words: words.replace(/^library\//, ''), limit }
}

/** The registry's results in its order. Rejects with `unavailable` if it can't be reached or has no search. */
export async function searchRegistry(
  ways: SearchWays,
  { registry, words, limit }: SearchTerm,
  auth: RegistryAuth,
  { signal }: AbortOptions,
): Promise<readonly FoundRepository[]> {
  const query = new URLSearchParams({ q: words, n: String(limit) })
  let failure: unknown
  for (const endpoint of ways.endpoints) {
    const { baseUrl, insecureTls, host } = endpoint
    const base = registry === defaultRegistry ? hubIndex : baseUrl
    try {
      // The old protocol uses name and password. A registry that issued an identity token accepts tokens.
      const isToken = auth.identityToken !== undefined
      const authorization = isToken ? await findAuthorization(ways, endpoint, auth, { signal }) : basicHeader(auth)
      const response = await ways.transport.send({
        url: `${base}/v1/search?${query}`,
        headers: authorization === undefined ? {} : { Authorization: authorization },
        insecureTls,
        registryHost: host,
        signal,
      })
      return await readResults(response)
    } catch (error) {
      if (!isKind(error, 'unavailable') || error.details.errno === undefined) throw error
      failure = error
    }
  }
  throw failure ?? new BerthError('internal', 'registry has no endpoint')
}

async function readResults({ status, body }: HttpResponse): Promise<readonly FoundRepository[]> {
  const bytes = await readBody(body, maxAnswerBytes)
  if (status !== 200) throw new BerthError('unavailable', `Unexpected status code ${status}`, { details: { status } })
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new BerthError('unavailable', 'registry answered a search with something that is not JSON', { cause })
  }
  const results: readonly unknown[] = isObject(value) && Array.isArray(value.results) ? value.results : []
  return results.filter(isObject).map(({ name, description, star_count: stars, is_official: isOfficial }) => ({
    name: typeof name === 'string' ? name : '',
    description: typeof description === 'string' ? description : '',
    starCount: typeof stars === 'number' ? stars : 0,
    isOfficial: isOfficial === true,
  }))
}
