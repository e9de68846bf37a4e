/** A small token service as registries use them. It is strict about its input and records the requests.
 *  https://distribution.github.io/distribution/spec/auth/jwt/ */
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type IssuedCertificate, TestAuthority } from '../certificates.ts'
import type { RegistryOptions } from './registry.ts'

export interface TokenServiceOptions {
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>
  /** Whether a user (undefined: anonymous) may perform an action on a repository. */
  readonly allows: (user: string | undefined, repository: string, action: string) => boolean
}

/** One request for a token. */
export interface SeenTokenRequest {
  readonly method: string
  /** `basic`, or the grant of an OAuth request. */
  readonly grant: string
  readonly user: string | undefined
  readonly scopes: readonly string[]
  readonly account: string | undefined
}

const issuer = 'token-test'
const service = 'registry-test'

/** Answers at `http://127.0.0.1:PORT/token`. */
export class TokenService implements AsyncDisposable {
  readonly #options: TokenServiceOptions
  readonly #server: Server
  readonly #authority: TestAuthority
  readonly #signer: IssuedCertificate
  readonly #refreshTokens = new Map<string, string>()
  readonly requests: SeenTokenRequest[] = []
  /** How long its tokens are valid. */
  lifetimeSeconds = 300
  /** If false, `expires_in` is left out, which means one minute. */
  saysLifetime = true

  private constructor(options: TokenServiceOptions, authority: TestAuthority, signer: IssuedCertificate) {
    this.#options = options
    this.#authority = authority
    this.#signer = signer
    this.#server = createServer((request, response) => {
      void this.#answer(request, response).catch(() => response.destroy())
    })
  }

  static async start(options: TokenServiceOptions): Promise<TokenService> {
    const authority = await TestAuthority.create('Token authority')
    const made = new TokenService(options, authority, await authority.issue('signer'))
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve))
    return made
  }

  get realm(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no address')
    return `http://127.0.0.1:${address.port}/token`
  }

  /** For `TestRegistry.start`. */
  get registryTokens(): NonNullable<RegistryOptions['tokens']> {
    return { realm: this.realm, service, issuer, certificate: this.#authority.certificate }
  }

  /** A refresh token for the user, as from an earlier login. */
  identityTokenOf(user: string): string {
    const token = randomUUID()
    this.#refreshTokens.set(token, user)
    return token
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://x')
    if (url.pathname !== '/token') return void response.writeHead(404).end()
    const form = request.method === 'POST' ? new URLSearchParams(await textOf(request)) : undefined
    const asked = form ?? url.searchParams
    const scopes = asked.getAll('scope').flatMap((scope) => scope.split(' '))
    const grant = form === undefined ? 'basic' : (form.get('grant_type') ?? '')
    const user = form === undefined ? this.#basicUser(request) : this.#formUser(form)
    const account = asked.get('account') ?? undefined
    this.requests.push({ method: request.method ?? '', grant, user: user ?? undefined, scopes, account })
    if (user === null || asked.get('service') !== service) {
      response.writeHead(401, { 'Content-Type': 'application/json' })
      return void response.end('{"details":"incorrect username or password"}')
    }
    const token = this.#token(user, scopes)
    const isOffline = asked.get('offline_token') === 'true' || asked.get('access_type') === 'offline'
    const offline = isOffline && user !== undefined ? { refresh_token: this.identityTokenOf(user) } : {}
    const lifetime = this.saysLifetime ? { expires_in: this.lifetimeSeconds } : {}
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify({ [form === undefined ? 'token' : 'access_token']: token, ...lifetime, ...offline }))
  }

  /** Undefined: anonymous; null: wrong. */
  #basicUser({ headers }: IncomingMessage): string | undefined | null {
    if (headers.authorization === undefined) return undefined
    const [user = '', password] = Buffer.from(headers.authorization.slice(6), 'base64').toString().split(':')
    return this.#options.users[user] === password ? user : null
  }

  #formUser(form: URLSearchParams): string | null {
    if (form.get('grant_type') === 'refresh_token') {
      return this.#refreshTokens.get(form.get('refresh_token') ?? '') ?? null
    }
    const user = form.get('username') ?? ''
    return form.get('grant_type') === 'password' && this.#options.users[user] === form.get('password') ? user : null
  }

  #token(user: string | undefined, scopes: readonly string[]): string {
    const access = scopes.map((scope) => {
      const [type = '', name = '', actions = ''] = scope.split(':')
      const allowed = actions.split(',').filter((action) => this.#options.allows(user, name, action))
      return { type, name, actions: allowed }
    })
    const now = Math.floor(Date.now() / 1000)
    const payload = {
      iss: issuer,
      sub: user ?? '',
      aud: service,
      exp: now + this.lifetimeSeconds,
      nbf: now - 5,
      iat: now,
    }
    const chain = [new X509Certificate(this.#signer.certificate).raw.toString('base64')]
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${encode({ typ: 'JWT', alg: 'ES256', x5c: chain })}.${encode({ ...payload, jti: randomUUID(), access })}`
    const key = createPrivateKey(this.#signer.key)
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
