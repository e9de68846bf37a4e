/** `/v1/search` and `/v1/_ping`: the part of Docker's first registry protocol that `docker search HOST/TERM` still
 *  uses. Finds repositories whose names contain the term and that the client may pull. */
import type { AccessDecision, Authorizer } from '../model/authorizer.ts'
import type { ExtensionAnswer, ExtensionRequest, RegistryExtension } from '../model/registry-extension.ts'
import { catalogPrefix, repositoryOfCatalogKey } from '../model/registry-keys.ts'
import type { ObjectStorage } from '../storage/registry-storage.ts'
import { errorAnswer, jsonAnswer, methodNotAllowed, readOnly } from './extension-answers.ts'

const defaultPageSize = 25
const maxPageSize = 100

/** Tells old clients that this registry works without a separate index. */
const versionHeaders = { 'X-Docker-Registry-Version': '0.0.0', 'X-Docker-Registry-Standalone': 'true' }

/** The options of `SearchExtension`. */
export interface SearchOptions {
  readonly objects: Pick<ObjectStorage, 'list'>
  readonly authorizer: Authorizer
}

/** Answers searches. */
export class SearchExtension implements RegistryExtension {
  readonly paths = ['/v1/search', '/v1/_ping']
  readonly #options: SearchOptions

  constructor(options: SearchOptions) {
    this.#options = options
  }

  async answer(request: ExtensionRequest): Promise<ExtensionAnswer> {
    if (!readOnly(request.method)) return methodNotAllowed('GET', 'HEAD')
    if (request.path === '/v1/_ping') return jsonAnswer(200, { standalone: true }, versionHeaders)
    const decision = await this.#options.authorizer.authorize({ ...request, wanted: [] })
    if (decision.kind !== 'allow') return refusal(decision)
    return { ...(await this.#search(request.query, decision)), user: decision.user }
  }

  async #search(
    query: URLSearchParams,
    { canSee = () => true }: AccessDecision & { kind: 'allow' },
  ): Promise<ExtensionAnswer> {
    const term = query.get('q') ?? ''
    const size = wholeOf(query.get('n'), defaultPageSize)
    const page = wholeOf(query.get('page'), 1)
    if (size === undefined || page === undefined) {
      return errorAnswer(400, 'PAGINATION_NUMBER_INVALID', 'n and page are whole numbers of at least 1')
    }
    const wanted = term.toLowerCase().replace(/^library\//, '')
    const names: string[] = []
    for await (const name of this.#repositories()) if (name.includes(wanted) && canSee(name)) names.push(name)
    const pageSize = Math.min(size, maxPageSize)
    return jsonAnswer(
      200,
      {
        query: term,
        num_results: names.length,
        num_pages: Math.ceil(names.length / pageSize),
        page,
        page_size: pageSize,
        results: names.slice((page - 1) * pageSize, page * pageSize).map((name) => ({
          name,
          description: '',
          star_count: 0,
          is_official: false,
          is_automated: false,
          is_trusted: false,
        })),
      },
      versionHeaders,
    )
  }

  async *#repositories(): AsyncGenerator<string> {
    let after: string | undefined
    do {
      const { objects, next } = await this.#options.objects.list(catalogPrefix, { after })
      for (const { key } of objects) yield repositoryOfCatalogKey(key)
      after = next
    } while (after !== undefined)
  }
}

function wholeOf(text: string | null, fallback: number): number | undefined {
  if (text === null || text === '') return fallback
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined
}

function refusal(decision: Exclude<AccessDecision, { kind: 'allow' }>): ExtensionAnswer {
  const { user } = decision
  if (decision.kind === 'deny') {
    return { ...errorAnswer(403, 'DENIED', decision.message ?? 'requested access to the resource is denied'), user }
  }
  const headers = { 'WWW-Authenticate': decision.challenge }
  return { ...errorAnswer(401, 'UNAUTHORIZED', decision.message ?? 'authentication required', headers), user }
}
