/** The registry's own token service. It issues signed tokens that name the user and the granted scopes for some
 *  minutes. `GET /token` (Basic) and `POST /token` (OAuth2: password and refresh_token grants).
 *  https://distribution.github.io/distribution/spec/auth/token/ and …/oauth/
 *
 *  A refresh token replaces the password of one user. It becomes invalid when the password changes or the user is
 *  removed. */
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { AccessScope } from '../model/authorizer.ts'
import type { AccessRules } from './access-rules.ts'
import { formatScopes, parseScopes } from './scope-text.ts'
import type { SigningKey } from './token-keys.ts'
import { TokenVerifier } from './token-verifier.ts'
import { parseBasic, type UserDirectory } from './user-directory.ts'

/** The options of `TokenService`; names as in `OwnTokenOptions`. */
export interface TokenServiceOptions {
  readonly service: string
  readonly issuer: string
  readonly key: SigningKey
  readonly users: UserDirectory
  readonly rules: AccessRules
  readonly expiresMs: number
  readonly refreshExpiresMs: number
}

/** A request for a token. */
export interface TokenRequest {
  readonly method: string
  readonly query: URLSearchParams
  readonly authorization: string | undefined
  /** The body of a POST request. */
  readonly form?: URLSearchParams | undefined
}

/** The answer. `body` is sent as JSON. */
export interface TokenAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
  /** The user's name, for the log. */
  readonly user?: string | undefined
}

interface Grant {
  readonly user: string | undefined
  readonly scopes: readonly AccessScope[]
  readonly withRefreshToken: boolean
  /** The client's refresh token, which is returned to it if no new one is made. */
  readonly refreshToken?: string | undefined
}

/** Issues tokens to the users of a directory. */
export class TokenService {
  readonly #options: TokenServiceOptions
  readonly #verifier: TokenVerifier

  constructor(options: TokenServiceOptions) {
    this.#options = options
    const { service, issuer, key } = options
    const keys = [{ publicKey: key.publicKey, ids: [key.id] }]
    this.#verifier = new TokenVerifier({ service, issuer, keys, roots: [] })
  }

  /** Checks the service's own tokens. */
  get verifier(): TokenVerifier {
    return this.#verifier
  }

  /** Answers one request. Rejects with `unavailable` if too many password checks are waiting. */
  async answer(request: TokenRequest): Promise<TokenAnswer> {
    if (request.method === 'GET') return this.#answerGet(request)
    if (request.method === 'POST') return this.#answerPost(request.form ?? new URLSearchParams())
    return failure(405, 'UNSUPPORTED', 'invalid_request', 'tokens are given to GET and POST')
  }

  async #answerGet({ query, authorization }: TokenRequest): Promise<TokenAnswer> {
    const scopes = this.#scopesOf(query.get('service'), query.getAll('scope'))
    if ('status' in scopes) return scopes
    const withRefreshToken = query.get('offline_token') === 'true'
    const credentials = parseBasic(authorization)
    if (authorization === undefined || credentials?.name === '') {
      return this.#grant({ user: undefined, scopes, withRefreshToken: false })
    }
    if (credentials === undefined || !(await this.#options.users.verify(credentials.name, credentials.password))) {
      return wrongPassword(this.#options.service)
    }
    return this.#grant({ user: credentials.name, scopes, withRefreshToken })
  }

  async #answerPost(form: URLSearchParams): Promise<TokenAnswer> {
    const scopes = this.#scopesOf(form.get('service'), form.getAll('scope'))
    if ('status' in scopes) return scopes
    const withRefreshToken = form.get('access_type') === 'offline'
    switch (form.get('grant_type')) {
      case 'password': {
        const name = form.get('username') ?? ''
        if (!(await this.#options.users.verify(name, form.get('password') ?? ''))) {
          return wrongPassword(this.#options.service)
        }
        return this.#grant({ user: name, scopes, withRefreshToken })
      }
      case 'refresh_token': {
        const refreshToken = form.get('refresh_token') ?? ''
        const user = await this.#userOfRefreshToken(refreshToken)
        if (user === undefined)
          return failure(401, 'UNAUTHORIZED', 'invalid_grant', 'the refresh token is not valid (any more)')
        return this.#grant({ user, scopes, withRefreshToken: false, refreshToken })
      }
      default:
        return failure(400, 'UNSUPPORTED', 'unsupported_grant_type', 'grant_type is password or refresh_token')
    }
  }

  #scopesOf(service: string | null, texts: readonly string[]): readonly AccessScope[] | TokenAnswer {
    if (service !== null && service !== this.#options.service) {
      return failure(
        400,
        'UNSUPPORTED',
        'invalid_request',
        `this is the token service of ${this.#options.service} only`,
      )
    }
    return parseScopes(texts) ?? failure(400, 'UNSUPPORTED', 'invalid_scope', 'too many scopes')
  }

  async #userOfRefreshToken(token: string): Promise<string | undefined> {
    const claims = await this.#verifier.findClaims(token)
    if (claims?.use !== 'refresh' || claims.sub === undefined) return undefined
    const fingerprint = await this.#options.users.fingerprint(claims.sub)
    return fingerprint !== undefined && claims.password === fingerprint ? claims.sub : undefined
  }

  async #grant({ user, scopes, withRefreshToken, refreshToken }: Grant): Promise<TokenAnswer> {
    const { rules, expiresMs } = this.#options
    const rights = rules.of(user)
    const access = scopes
      .map((scope) => ({ ...scope, actions: rights.allowed(scope) }))
      .filter(({ actions }) => actions.length > 0)
    const token = await this.#sign({ access }, user ?? '', expiresMs)
    const refresh = withRefreshToken && user !== undefined ? await this.#refreshTokenFor(user) : refreshToken
    return {
      status: 200,
      headers: { 'Cache-Control': 'no-store' },
      user,
      body: {
        token,
        access_token: token,
        expires_in: Math.floor(expiresMs / 1000),
        issued_at: new Date().toISOString(),
        scope: formatScopes(access),
        ...(refresh === undefined ? {} : { refresh_token: refresh }),
      },
    }
  }

  async #refreshTokenFor(user: string): Promise<string> {
    const password = await this.#options.users.fingerprint(user)
    return this.#sign({ use: 'refresh', password }, user, this.#options.refreshExpiresMs)
  }

  async #sign(claims: Readonly<Record<string, unknown>>, subject: string, expiresMs: number): Promise<string> {
    const { service, issuer, key } = this.#options
    const now = Math.floor(Date.now() / 1000)
    return await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: key.id })
      .setIssuer(issuer)
      .setSubject(subject)
      .setAudience(service)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + Math.floor(expiresMs / 1000))
      .setJti(randomUUID())
      .sign(key.privateKey)
  }
}

function wrongPassword(realm: string): TokenAnswer {
  const answer = failure(401, 'UNAUTHORIZED', 'invalid_grant', 'incorrect username or password')
  return { ...answer, headers: { ...answer.headers, 'WWW-Authenticate': `Basic realm="${realm}"` } }
}

/** An error answer in the forms of the registry protocol and of OAuth2 together. */
function failure(status: number, code: string, oauthCode: string, message: string): TokenAnswer {
  return {
    status,
    headers: { 'Cache-Control': 'no-store' },
    body: { errors: [{ code, message }], error: oauthCode, error_description: message },
  }
}
