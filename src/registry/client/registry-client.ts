import { type Logger, nullLogger } from '../../base/index.ts'
import type { Reference } from '../../oci/index.ts'
import type { RegistryAuth } from './credentials.ts'
import { type Endpoint, type EndpointOptions, endpointsOf } from './endpoints.ts'
import { HttpTransport, type HttpTransportOptions } from './http-transport.ts'
import { Repository, type RepositoryOptions } from './repository.ts'
import { TokenSource } from './token-source.ts'

export interface RegistryClientOptions extends EndpointOptions, HttpTransportOptions {
  readonly logger?: Logger
}

/** Access to all registries: shares connections, tokens and what was learned about each host. */
export class RegistryClient {
  #options: RegistryClientOptions
  readonly #transport: HttpTransport
  readonly #tokens: TokenSource
  readonly #known = new Map<string, Endpoint>()

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
    const endpoints = endpointsOf(reference.registry, this.#options).filter(
      (one) => actions !== 'pull,push' || !one.isMirror,
    )
    const known = this.#known.get(reference.registry)
    const known1st = known === undefined ? [] : endpoints.filter((one) => one.baseUrl === known.baseUrl)
    return new Repository({
      reference,
      auth,
      actions,
      endpoints: [...known1st, ...endpoints.filter((one) => !known1st.includes(one))],
      transport: this.#transport,
      tokens: this.#tokens,
      logger: this.#options.logger ?? nullLogger,
      onEndpoint: (endpoint) => {
        if (!endpoint.isMirror && endpoints.length > 1) this.#known.set(reference.registry, endpoint)
      },
    })
  }

  /** Replaces what is known of how registries may be reached; requests under way go on as they began. */
  configure(endpoints: EndpointOptions): void {
    this.#options = { ...this.#options, ...endpoints }
    this.#known.clear()
  }

  /** What workers need to make a transport like this one. */
  get transportOptions(): HttpTransportOptions {
    const { proxyEnv, userAgent, idleTimeoutMs } = this.#options
    return {
      ...(proxyEnv === undefined ? {} : { proxyEnv }),
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.#transport.close()
  }
}
