/** One user's access to one endpoint of a registry. It remembers the endpoint's challenges and sends the credentials
 *  that they ask for. */
import { BerthError, isBerthError } from '../../../base/index.ts'
import { type AuthChallenge, parseChallenges } from '../transport/auth-challenge.ts'
import type { Endpoint } from '../transport/endpoints.ts'
import type { HttpResponse, HttpTransport } from '../transport/http-transport.ts'
import { noBasicCredentials } from '../transport/registry-errors.ts'
import type { RegistryRequest } from '../transport/registry-request.ts'
import { basicHeader, type RegistryAuth } from './credentials.ts'
import { wantedScopes } from './scopes.ts'
import type { TokenSource } from './token-source.ts'

export interface EndpointSessionOptions {
  readonly endpoint: Endpoint
  readonly auth: RegistryAuth
  readonly repository: string
  readonly actions: 'pull' | 'pull,push'
  readonly transport: HttpTransport
  readonly tokens: TokenSource
}

/** A registry that sends nothing for this time at first contact is considered unreachable. */
const firstContactMs = 30_000

/** Sends requests to one endpoint. Cheap to make, so each repository makes its own. */
export class EndpointSession {
  readonly #options: EndpointSessionOptions
  #challenges: readonly AuthChallenge[] = []
  #wasReached = false

  constructor(options: EndpointSessionOptions) {
    this.#options = options
  }

  get endpoint(): Endpoint {
    return this.#options.endpoint
  }

  /** The URL of `path` below the repository. */
  urlOf(path: string): string {
    return `${this.endpoint.baseUrl}/v2/${this.#options.repository}/${path}`
  }

  /** Sends with the credentials for the challenges known so far. After a 401, answers the challenge and sends once
   *  more. */
  async send(method: string, url: string, options: RegistryRequest): Promise<HttpResponse> {
    const { scopes, ...request } = options
    const attempt = async (authorization: string | undefined): Promise<HttpResponse> => {
      const headers = { ...request.headers, ...(authorization === undefined ? {} : { Authorization: authorization }) }
      const { insecureTls, host: registryHost } = this.endpoint
      const patience = this.#wasReached ? {} : { idleTimeoutMs: firstContactMs }
      const send = { ...patience, ...request, method, url, headers, insecureTls, registryHost }
      return await this.#options.transport.send(send)
    }
    const shown = await this.authorization(options)
    const response = await this.#reach(() => attempt(shown))
    if (response.status !== 401) return response
    const fresh = await this.answer(response.headers['www-authenticate'], shown, { method, url, ...options })
    if (fresh === undefined) return response
    response.body.resume()
    return await attempt(fresh)
  }

  /** The `Authorization` header for the challenges known so far. `refused` is a value that the registry did not
   *  accept. */
  async authorization(options: RegistryRequest, refused?: string): Promise<string | undefined> {
    const { auth, tokens, repository, actions } = this.#options
    if (auth.registryToken !== undefined) return `Bearer ${auth.registryToken}`
    const bearer = this.#challenges.find((challenge) => challenge.scheme === 'bearer')
    if (bearer === undefined) {
      return this.#challenges.some((challenge) => challenge.scheme === 'basic') ? basicHeader(auth) : undefined
    }
    const { realm = '', service = '', scope: asked = '' } = bearer.parameters
    const { insecureTls, host: registryHost } = this.endpoint
    const scope = wantedScopes(repository, actions, asked, options.scopes).join(' ')
    const request = { realm, service, scope, auth, insecureTls, registryHost, signal: options.signal }
    return `Bearer ${await tokens.token(request, refused?.replace(/^Bearer /, ''))}`
  }

  /** The `Authorization` header after a 401 with this challenge; undefined if every possible value was already refused.
   *  Rejects with `unauthorized` if the registry requires a user name and there is none. */
  async answer(
    header: string | undefined,
    refused: string | undefined,
    request: RegistryRequest & { readonly url: string },
  ): Promise<string | undefined> {
    const challenges = parseChallenges(header ?? '')
    if (challenges.length === 0) return undefined
    // The user's own token was refused, and there is no other one.
    if (this.#options.auth.registryToken !== undefined) return undefined
    this.#challenges = challenges
    const fresh = await this.authorization(request, refused)
    if (fresh === undefined) throw noBasicCredentials(request.method ?? 'GET', request.url)
    return fresh === refused ? undefined : fresh
  }

  /** Runs `work`. If the registry was never reached, the error names only its address, as in Docker. */
  async #reach<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work()
      this.#wasReached = true
      return result
    } catch (error) {
      if (this.#wasReached || !isBerthError(error) || error.details.reason === undefined) throw error
      const { errno, reason, retryable } = error.details
      throw new BerthError(error.kind, `Get "${this.endpoint.baseUrl}/v2/": ${String(reason)}`, {
        cause: error.cause,
        // After half a minute without an answer, a retry is pointless.
        details: { errno, reason, retryable: retryable === true && errno !== 'ETIMEDOUT' },
      })
    }
  }
}
