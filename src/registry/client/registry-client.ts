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

/** The options of `RegistryClient`. */
export interface RegistryClientOptions extends EndpointOptions, HttpTransportOptions {
  readonly logger?: Logger
}

/** Access to all registries. Shares connections, tokens and the working endpoint of each registry among all users. */
export class RegistryClient {
  #options: RegistryClientOptions
  #transport: HttpTransport
  #tokens: TokenSource
  /** Base URL of the endpoint that answered last, by registry. */
  readonly #known = new Map<string, string>()

  constructor(options: RegistryClientOptions = {}) {
    this.#options = options
    this.#transport = new HttpTransport(options)
    this.#tokens = new TokenSource(this.#transport)
  }

  /** The repository of a reference, accessed with these credentials. Sends nothing yet. With `actions` `pull,push`,
   *  mirrors are not used. */
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

  /** Checks a user's credentials at a registry. Rejects with `unauthorized` if the registry refuses them, with
   *  `unavailable` if it can't be reached. */
  async login(registry: string, auth: RegistryAuth, options: AbortOptions = {}): Promise<LoginResult> {
    const endpoints = (await this.#endpoints(registry)).filter(({ isMirror }) => !isMirror)
    return await checkLogin({ endpoints, transport: this.#transport, tokens: this.#tokens }, auth, options)
  }

  /** Searches for repositories at the registry of the term. Rejects with `unavailable` if it can't be reached or has no
   *  search. */
  async search(term: SearchTerm, auth: RegistryAuth, options: AbortOptions = {}): Promise<readonly FoundRepository[]> {
    const { registry } = term
    const endpoints = (await this.#endpoints(registry)).filter(({ isMirror }) => !isMirror)
    return await searchRegistry({ endpoints, transport: this.#transport, tokens: this.#tokens }, term, auth, options)
  }

  /** Replaces options for mirrors, insecure registries, proxies and certificates. Running requests are not affected. */
  configure(options: EndpointOptions & AgentPoolOptions): void {
    this.#options = { ...this.#options, ...options }
    // The old transport is not closed, because requests may be running on it. Its idle connections expire.
    this.#transport = new HttpTransport(this.#options)
    this.#tokens = new TokenSource(this.#transport)
    this.#known.clear()
  }

  /** The options with which a worker thread makes a transport like this one. Plain data. */
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

  /** The endpoints of a registry: mirrors first, then the one that answered last, then the others. */
  async #endpoints(registry: string): Promise<readonly Endpoint[]> {
    const endpoints = await endpointsOf(registry, this.#options, addressesOf)
    const known = this.#known.get(registry)
    const rank = ({ isMirror, baseUrl }: Endpoint) => (isMirror ? 0 : baseUrl === known ? 1 : 2)
    return endpoints.toSorted((one, other) => rank(one) - rank(other))
  }
}

/** The addresses of a host; empty if there are none. In that case the connection fails later, with the right error. */
async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch {
    return []
  }
}
