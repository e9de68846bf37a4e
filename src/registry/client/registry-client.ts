import { lookup } from 'node:dns/promises'
import { type AbortOptions, type Logger, nullLogger } from '../../base/index.ts'
import type { Reference } from '../../oci/index.ts'
import type { RegistryAuth } from './auth/credentials.ts'
import { checkLogin, type LoginResult } from './auth/login.ts'
import { TokenSource } from './auth/token-source.ts'
import { Repository, type RepositoryOptions } from './repository.ts'
import { type FoundRepository, type SearchTerm, searchRegistry } from './search.ts'
import type { AgentPoolOptions } from './transport/agents.ts'
import { type Endpoint, type EndpointOptions, endpointsOf } from './transport/endpoints.ts'
import { HttpTransport, type HttpTransportOptions } from './transport/http-transport.ts'

export interface RegistryClientOptions extends EndpointOptions, HttpTransportOptions {
  readonly logger?: Logger
}

/** Access to all registries: shares connections, tokens and what was learned about each host. */
export class RegistryClient {
  #options: RegistryClientOptions
  #transport: HttpTransport
  #tokens: TokenSource
  /** What answered last, by registry. */
  readonly #known = new Map<string, string>()

  constructor(options: RegistryClientOptions = {}) {
    this.#options = options
    this.#transport = new HttpTransport(options)
    this.#tokens = new TokenSource(this.#transport)
  }

  /** The repository that a reference names, for the bearer of these credentials. What is pushed goes to no mirror. */
  repository(
    reference: Reference,
    auth: RegistryAuth = {},
    { actions }: Pick<RepositoryOptions, 'actions'> = {},
  ): Repository {
    const { registry } = reference
    return new Repository({
      reference,
      auth,
      actions,
      endpoints: async () => {
        const all = await this.#endpoints(registry)
        return all.filter((one) => actions !== 'pull,push' || !one.isMirror)
      },
      transport: this.#transport,
      tokens: this.#tokens,
      logger: this.#options.logger ?? nullLogger,
      onEndpoint: ({ baseUrl }) => this.#known.set(registry, baseUrl),
    })
  }

  /** Checks a user at a registry. Throws `unauthorized` when it does not know the user. */
  async login(registry: string, auth: RegistryAuth, options: AbortOptions = {}): Promise<LoginResult> {
    const endpoints = (await this.#endpoints(registry)).filter(({ isMirror }) => !isMirror)
    return await checkLogin({ endpoints, transport: this.#transport, tokens: this.#tokens }, auth, options)
  }

  /** Looks for repositories by words, at Docker Hub or the registry that the term begins with. */
  async search(term: SearchTerm, auth: RegistryAuth, options: AbortOptions = {}): Promise<readonly FoundRepository[]> {
    const { registry } = term
    const endpoints = (await this.#endpoints(registry)).filter(({ isMirror }) => !isMirror)
    return await searchRegistry({ endpoints, transport: this.#transport, tokens: this.#tokens }, term, auth, options)
  }

  /** Replaces how registries are reached; requests under way go on as they began. */
  configure(options: EndpointOptions & AgentPoolOptions): void {
    this.#options = { ...this.#options, ...options }
    // Not closed: it may have work under way. Its idle connections end by themselves.
    this.#transport = new HttpTransport(this.#options)
    this.#tokens = new TokenSource(this.#transport)
    this.#known.clear()
  }

  /** What workers need to make a transport like this one. */
  get transportOptions(): HttpTransportOptions {
    const { proxies, certificateDirectories, userAgent, idleTimeoutMs } = this.#options
    return {
      ...(proxies === undefined ? {} : { proxies }),
      ...(certificateDirectories === undefined ? {} : { certificateDirectories }),
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.#transport.close()
  }

  /** Mirrors first, then what answered last time. */
  async #endpoints(registry: string): Promise<readonly Endpoint[]> {
    const endpoints = await endpointsOf(registry, this.#options, addressesOf)
    const known = this.#known.get(registry)
    const rank = ({ isMirror, baseUrl }: Endpoint) => (isMirror ? 0 : baseUrl === known ? 1 : 2)
    return endpoints.toSorted((one, other) => rank(one) - rank(other))
  }
}

/** A host without an address is no error here: its connection will fail, and say so. */
async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch {
    return []
  }
}
