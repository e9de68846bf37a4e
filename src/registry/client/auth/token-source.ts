/** Bearer tokens from a registry's token server. They are cached until shortly before they expire.
 *  https://distribution.github.io/distribution/spec/auth/token/ */
import { createHash } from 'node:crypto'
import { type AbortOptions, BerthError, invalidArgument } from '../../../base/index.ts'
import { isObject } from '../../../oci/index.ts'
import { type HttpRequest, type HttpResponse, type HttpTransport, readBody } from '../transport/http-transport.ts'
import { statusError } from '../transport/registry-errors.ts'
import { withRetry } from '../transport/retry.ts'
import { basicHeader, type RegistryAuth } from './credentials.ts'

/** A request for a token; `realm`, `service` and `scope` come from the registry's challenge. */
export interface TokenRequest extends AbortOptions {
  readonly realm: string
  readonly service: string
  readonly scope: string
  readonly auth: RegistryAuth
  readonly insecureTls: boolean
  /** The registry whose certificates are used for the token server, too. */
  readonly registryHost?: string | undefined
}

/** A token server's answer to a login. */
export interface LoginToken {
  readonly token: string
  /** A refresh token that replaces the password, if the server gives one. */
  readonly identityToken?: string | undefined
}

interface CachedToken extends LoginToken {
  readonly endsMs: number
}

const clientId = 'berth'
const maxAnswerBytes = 1 << 20
const maxCached = 256

/** Requests tokens. Concurrent calls for the same server, scope and user share one request. */
export class TokenSource {
  readonly #transport: HttpTransport
  readonly #cache = new Map<string, CachedToken>()
  readonly #pending = new Map<string, Promise<CachedToken>>()

  constructor(transport: HttpTransport) {
    this.#transport = transport
  }

  /** A valid token for the scope, from the cache or the server. `refused` is a token that the registry did not accept.
   *  Rejects with `unauthorized` if the server refuses the user. */
  async token(request: TokenRequest, refused?: string): Promise<string> {
    const key = keyOf(request)
    const cached = this.#cache.get(key)
    if (cached !== undefined && cached.token !== refused && cached.endsMs > Date.now()) return cached.token
    let pending = this.#pending.get(key)
    if (pending === undefined) {
      // The shared request has no signal: other callers may wait for the token when this one leaves.
      const shared = { ...request, signal: undefined }
      pending = withRetry(() => this.#fetch(shared)).finally(() => this.#pending.delete(key))
      this.#pending.set(key, pending)
    }
    const fresh = await orAborted(pending, request.signal)
    this.#cache.delete(key)
    this.#cache.set(key, fresh)
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= maxCached) break
      this.#cache.delete(oldest)
    }
    return fresh.token
  }

  /** Checks a user at the token server. The token is not cached. */
  async login(request: TokenRequest): Promise<LoginToken> {
    const { token, identityToken } = await withRetry(() => this.#fetch(request, { offline: true }), request)
    return { token, identityToken }
  }

  async #fetch(request: TokenRequest, { offline = false } = {}): Promise<CachedToken> {
    const { identityToken } = request.auth
    const response =
      identityToken === undefined ? await this.#get(request, offline) : await this.#refresh(request, identityToken)
    const body = await readBody(response.body, maxAnswerBytes)
    if (response.status !== 200) {
      throw statusError(response.status, body, 'GET', response.url, response.headers['retry-after'])
    }
    return parseToken(body)
  }

  #get(request: TokenRequest, offline: boolean): Promise<HttpResponse> {
    const url = realmUrl(request.realm)
    if (request.service !== '') url.searchParams.set('service', request.service)
    for (const scope of request.scope.split(' ').filter((one) => one !== '')) url.searchParams.append('scope', scope)
    const authorization = basicHeader(request.auth)
    if (request.auth.username !== undefined) url.searchParams.set('account', request.auth.username)
    if (offline) {
      url.searchParams.set('offline_token', 'true')
      url.searchParams.set('client_id', clientId)
    }
    return this.#transport.send({
      url: url.toString(),
      headers: authorization === undefined ? {} : { Authorization: authorization },
      ...connectionOf(request),
    })
  }

  #refresh(request: TokenRequest, identityToken: string): Promise<HttpResponse> {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: identityToken,
      service: request.service,
      scope: request.scope,
      client_id: clientId,
    })
    return this.#transport.send({
      method: 'POST',
      url: realmUrl(request.realm).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
      ...connectionOf(request),
    })
  }
}

/** Awaits the result. Rejects with `cancelled` if the signal fires before. */
async function orAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await result
  const { promise: left, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(new BerthError('cancelled', 'context canceled'))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([result, left])
  } finally {
    signal.removeEventListener('abort', onAbort)
    result.catch(() => {}) // other callers get the error
  }
}

function connectionOf({ insecureTls, registryHost, signal }: TokenRequest): Partial<HttpRequest> {
  return { insecureTls, registryHost, signal }
}

function realmUrl(realm: string): URL {
  if (!/^https?:\/\//.test(realm) || !URL.canParse(realm)) {
    throw invalidArgument(`registry names no usable token server: ${JSON.stringify(realm)}`)
  }
  return new URL(realm)
}

function parseToken(body: Buffer): CachedToken {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new BerthError('unavailable', 'token server answered something that is not JSON', { cause })
  }
  const token = isObject(value) ? value.token || value.access_token : undefined
  if (!isObject(value) || typeof token !== 'string' || token === '') {
    throw new BerthError('unauthorized', 'authorization server did not include a token in the response')
  }
  const seconds = typeof value.expires_in === 'number' && value.expires_in > 60 ? value.expires_in : 60
  const { refresh_token: refresh } = value
  const identityToken = typeof refresh === 'string' && refresh !== '' ? refresh : undefined
  return { token, endsMs: Date.now() + (seconds - 10) * 1000, identityToken }
}

/** The key of the cache. It is a hash, so that the map contains no passwords. */
function keyOf({ realm, service, scope, auth }: TokenRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([realm, service, scope, auth]))
    .digest('hex')
}
