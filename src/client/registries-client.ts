/** Calls that make the daemon speak to registries: push, login, search. */
import type { AuthConfig, AuthResponse, Filters, ProgressMessage, SearchResult } from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'
import { type Filters, formatFilters } from './transport/filters.ts'
import { imagePath } from './transport/image-path.ts'
import { jsonLines } from './transport/json-lines.ts'
import type { Transport } from './transport/transport.ts'

export interface PushOptions extends AbortOptions {
  /** Without it all tags of the repository. */
  readonly tag?: string | undefined
  /** A JSON object. */
  readonly platform?: string | undefined
  /** `X-Registry-Auth`. */
  readonly registryAuth?: string | undefined
}

export interface SearchOptions {
  /** 0: as many as the daemon likes. */
  readonly limit?: number | undefined
  readonly filters?: Filters | undefined
  /** `X-Registry-Auth`. */
  readonly registryAuth?: string | undefined
}

/** `{}`: nobody. Daemons before Docker 23 refuse a push without the header. */
const noAuth = 'e30='

export class RegistriesClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** `name` is a repository, full or familiar. */
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

  /** Has the daemon check credentials at a registry. Throws `unauthorized` when the registry refuses them. */
  async login(auth: AuthConfig): Promise<AuthResponse> {
    return (await this.#transport.request('POST', '/auth', { json: auth })).json()
  }

  /** Repositories of Docker Hub, or of the registry that `term` begins with. */
  async search(term: string, { limit, filters, registryAuth }: SearchOptions = {}): Promise<SearchResult[]> {
    const response = await this.#transport.request('GET', '/images/search', {
      query: { term, limit: limit === 0 ? undefined : limit, filters: formatFilters(filters) },
      ...(registryAuth === undefined ? {} : { headers: { 'x-registry-auth': registryAuth } }),
    })
    return response.json()
  }
}
