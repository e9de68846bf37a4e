/** Authorizes by bearer tokens, of the registry's own token service or of another one. The challenge for clients
 *  without a token names the token service. https://distribution.github.io/distribution/spec/auth/token/ */
import type { AccessDecision, AccessRequest, AccessScope, Authorizer } from '../model/authorizer.ts'
import { type AccessRules, allowsAll } from './access-rules.ts'
import { covers, formatScopes } from './scope-text.ts'
import type { AccessToken, TokenVerifier } from './token-verifier.ts'

export interface BearerAuthorizerOptions {
  readonly verifier: TokenVerifier
  readonly service: string
  /** URL of the token service. Default: `/token` at the address that the client used. */
  readonly realm?: string | undefined
  /** The rules of the registry's own token service. They tell a user without the right from one who needs another
   *  token. */
  readonly rules?: AccessRules | undefined
  /** Decides on requests with `Authorization: Basic`. Default: these get a challenge. */
  readonly basic?: Authorizer | undefined
}

export class BearerAuthorizer implements Authorizer {
  readonly #options: BearerAuthorizerOptions

  constructor(options: BearerAuthorizerOptions) {
    this.#options = options
  }

  async authorize(request: AccessRequest): Promise<AccessDecision> {
    const { basic, verifier } = this.#options
    const { authorization } = request.headers
    const [, token] = /^bearer +(\S+) *$/i.exec(authorization ?? '') ?? []
    if (token !== undefined) {
      const access = await verifier.findAccess(token)
      return access === undefined ? this.#challenge(request, 'invalid_token') : this.#decide(request, access)
    }
    // The protocol of search is older than tokens.
    if (basic !== undefined && request.path.startsWith('/v1/')) return basic.authorize(request)
    if (basic !== undefined && authorization !== undefined) {
      const decision = await basic.authorize(request)
      // A wrong password gets the same challenge as a missing one: the way to a token.
      return decision.kind === 'challenge' ? this.#challenge(request, undefined, decision.user) : decision
    }
    return this.#challenge(request)
  }

  #decide(request: AccessRequest, { user: subject, access }: AccessToken): AccessDecision {
    const { rules } = this.#options
    const { wanted } = request
    const user = subject === '' ? undefined : subject
    const rights = rules?.of(user)
    if (covers(access, wanted)) {
      const isCatalog = wanted.some(({ type }) => type === 'registry')
      const canSee = (repository: string): boolean =>
        rights?.canPull(repository) ?? covers(access, [pullOf(repository)])
      return { kind: 'allow', user, canSee: isCatalog ? undefined : canSee }
    }
    // The user lacks the right, so another token would not help.
    if (user !== undefined && rights !== undefined && !allowsAll(rights, wanted)) return { kind: 'deny', user }
    return this.#challenge(request, 'insufficient_scope', user)
  }

  #challenge(request: AccessRequest, error?: string, user?: string): AccessDecision {
    const { service, realm = realmOf(request) } = this.#options
    const parameters = [
      ['realm', realm],
      ['service', service],
      ...(request.wanted.length === 0 ? [] : [['scope', formatScopes(request.wanted)]]),
      ...(error === undefined ? [] : [['error', error]]),
    ]
    const challenge = `Bearer ${parameters.map(([name, value]) => `${name}="${value}"`).join(',')}`
    return { kind: 'challenge', challenge, user }
  }
}

function pullOf(repository: string): AccessScope {
  return { type: 'repository', name: repository, actions: ['pull'] }
}

/** The URL of the token service at the address that the client used. Proxies may tell that address in headers. */
function realmOf({ headers, isTls }: AccessRequest): string {
  const scheme = firstOf(headers['x-forwarded-proto']) === 'https' || isTls ? 'https' : 'http'
  // Characters such as quotes, which would end the challenge's value, are removed.
  const host = (firstOf(headers['x-forwarded-host']) ?? headers.host ?? 'localhost').replace(/[^\w.:[\]-]/g, '')
  return `${scheme}://${host}/token`
}

/** The first value of a header to which each proxy adds one: the value of the proxy nearest to the client. */
function firstOf(header: string | readonly string[] | undefined): string | undefined {
  const text = typeof header === 'string' ? header : header?.[0]
  return text?.split(',', 1)[0]?.trim() || undefined
}
