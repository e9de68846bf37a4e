/** Calls for which the daemon contacts a registry: push, login, search. */
import type { AuthConfig, AuthResponse, Filters, ProgressMessage, SearchResult } from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'
import { formatFilters } from './transport/filters.ts'
import { imagePath } from './transport/image-path.ts'
import { jsonLines } from './transport/json-lines.ts'
import type { Transport } from './transport/transport.ts'

/** What to push. */
export interface PushOptions extends AbortOptions {
  /** Without it, all tags of the repository are pushed. */
  readonly tag?: string | undefined
  /** The platform as a JSON object. */
  readonly platform?: string | undefined
  /** The value of `X-Registry-Auth`. */
  readonly registryAuth?: string | undefined
}

/** How to search. */
export interface SearchOptions {
  /** The number of results; 0 leaves it to the daemon. */
  readonly limit?: number | undefined
  readonly filters?: Filters | undefined
  /** The value of `X-Registry-Auth`. */
  readonly registryAuth?: string | undefined
}

/** The header for no credentials: `{}`. Daemons before Docker 23 refuse a push without the header. */
const noAuth = 'e30='

/** Registries, by way of the daemon. */
export class RegistriesClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Pushes the repository `name`, which may be in full or familiar form. */
  async *push(
    name: string,
    { tag, platform, registryAuth = noAuth, signal }: PushOptions = {},
  ): AsyncGenerator<ProgressMessage, void, void> {
    const response = await this.#transport.request('POST', imagePath(name, '/push'), {
      query: { tag, platform: platform || undefined },
      headers: { 'x-registry-auth': registryAuth },
      signal,
    })
    yield* jsonLines<ProgressMessage>(response.chunks())
  }

  /** Makes the daemon check credentials at a registry. Throws `unauthorized` when the registry refuses them. */
  async login(auth: AuthConfig): Promise<AuthResponse> {
    return (await this.#transport.request('POST', '/auth', { json: auth })).json()
  }

  /** Searches Docker Hub, or the registry that `term` begins with. */
  async search(term: string, { limit, filters, registryAuth }: SearchOptions = {}): Promise<SearchResult[]> {
    const response = await this.#transport.request('GET', '/images/search', {
      query: { term, limit: limit === 0 ? undefined : limit, filters: formatFilters(filters) },
      ...(registryAuth === undefined ? {} : { headers: { 'x-registry-auth': registryAuth } }),
    })
    return response.json()
  }
}
