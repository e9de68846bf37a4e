/** Bearer tokens, of the registry's own token service or of another program's. Clients without one are told where to
 *  get it. https://distribution.github.io/distribution/spec/auth/token/ */
import type { AccessDecision, AccessRequest, AccessScope, Authorizer } from '../model/authorizer.ts'
import { type AccessRules, allowsAll } from './access-rules.ts'
import { covers, formatScopes } from './scope-text.ts'
import type { AccessToken, TokenVerifier } from './token-verifier.ts'

export interface BearerAuthorizerOptions {
  readonly verifier: TokenVerifier
  readonly service: string
  /** Where tokens are given. Absent: `/token` at the address that the client called. */
  readonly realm?: string | undefined
  /** Where tokens are of the own service: tells who lacks a right from who needs another token. */
  readonly rules?: AccessRules | undefined
  /** Decides on requests with `Authorization: Basic`. Absent: they are told to get a token. */
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
    // The protocol that search is of is older than tokens.
    if (basic !== undefined && request.path.startsWith('/v1/')) return basic.authorize(request)
    if (basic !== undefined && authorization !== undefined) {
      const decision = await basic.authorize(request)
      // A wrong password is answered with the way to a token, as is none.
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
    // No other token would help.
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

/** The token service at the address that the client called, as far as proxies before us tell it. */
function realmOf({ headers, isTls }: AccessRequest): string {
  const scheme = firstOf(headers['x-forwarded-proto']) === 'https' || isTls ? 'https' : 'http'
  // No client sends quotes there; they would end the challenge's.
  const host = (firstOf(headers['x-forwarded-host']) ?? headers.host ?? 'localhost').replace(/[^\w.:[\]-]/g, '')
  return `${scheme}://${host}/token`
}

/** What the first of several proxies said. */
function firstOf(header: string | readonly string[] | undefined): string | undefined {
  const text = typeof header === 'string' ? header : header?.[0]
  return text?.split(',', 1)[0]?.trim() || undefined
}
