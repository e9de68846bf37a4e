/** Checks a user name and password, or an identity token, at a registry.
 *  https://distribution.github.io/distribution/spec/auth/ */
import { STATUS_CODES } from 'node:http'
import { type AbortOptions, BerthError, isBerthError, isKind } from '../../../base/index.ts'
import { type AuthChallenge, parseChallenges } from '../transport/auth-challenge.ts'
import type { Endpoint } from '../transport/endpoints.ts'
import { type HttpResponse, type HttpTransport, readBody } from '../transport/http-transport.ts'
import { basicHeader, type RegistryAuth } from './credentials.ts'
import type { TokenSource } from './token-source.ts'

/** The means to reach a registry. */
export interface LoginWays {
  /** The best endpoint comes first. */
  readonly endpoints: readonly Endpoint[]
  readonly transport: HttpTransport
  readonly tokens: TokenSource
}

/** The result of a successful login. */
export interface LoginResult {
  /** A refresh token to store in place of the password, if the registry's token server gives one. */
  readonly identityToken?: string | undefined
}

const maxIgnoredBytes = 65_536

/** Checks the credentials. Rejects with `unauthorized` and Docker's message if the registry refuses them, with
 *  `unavailable` if it can't be reached. A registry that requires no credentials accepts any. */
export async function checkLogin(ways: LoginWays, auth: RegistryAuth, options: AbortOptions): Promise<LoginResult> {
  let failure: unknown
  for (const endpoint of ways.endpoints) {
    try {
      return await loginAt(ways, endpoint, auth, options)
    } catch (error) {
      // The endpoint has answered, so the others need not be tried.
      if (!isKind(error, 'unavailable') || error.details.errno === undefined) throw error
      failure = error
    }
  }
  throw failure ?? new BerthError('internal', 'registry has no endpoint')
}

/** The `Authorization` header for a request without a repository, for a user with an identity token. Undefined if the
 *  registry requires no credentials. Rejects as `checkLogin` does. */
export async function findAuthorization(
  ways: Omit<LoginWays, 'endpoints'>,
  endpoint: Endpoint,
  auth: RegistryAuth,
  options: AbortOptions,
): Promise<string | undefined> {
  const url = `${endpoint.baseUrl}/v2/`
  const { status, headers } = await ask(ways, endpoint, url, undefined, options)
  if (status !== 401) return undefined
  const challenges = parseChallenges(headers['www-authenticate'] ?? '')
  return (await answer(ways, endpoint, url, challenges, auth, options)).authorization
}

async function loginAt(
  ways: Omit<LoginWays, 'endpoints'>,
  endpoint: Endpoint,
  auth: RegistryAuth,
  options: AbortOptions,
): Promise<LoginResult> {
  const url = `${endpoint.baseUrl}/v2/`
  const first = await ask(ways, endpoint, url, undefined, options)
  if (first.status === 200) return {}
  const challenges = first.status === 401 ? parseChallenges(first.headers['www-authenticate'] ?? '') : []
  const { authorization, identityToken } = await answer(ways, endpoint, url, challenges, auth, options)
  const { status } = authorization === undefined ? first : await ask(ways, endpoint, url, authorization, options)
  if (status === 200) return { identityToken }
  throw new BerthError(
    status === 401 || status === 403 ? 'unauthorized' : 'unavailable',
    `login attempt to ${url} failed with status: ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd(),
    { details: { status } },
  )
}

/** The `Authorization` header for these challenges; none if they can't be answered. */
async function answer(
  { tokens }: Pick<LoginWays, 'tokens'>,
  { insecureTls, host }: Endpoint,
  url: string,
  challenges: readonly AuthChallenge[],
  auth: RegistryAuth,
  options: AbortOptions,
): Promise<{ readonly authorization?: string | undefined; readonly identityToken?: string | undefined }> {
  const bearer = challenges.find((challenge) => challenge.scheme === 'bearer')
  if (bearer === undefined) {
    return challenges.length === 0 ? {} : { authorization: basicHeader(auth) }
  }
  const { realm = '', service = '', scope = '' } = bearer.parameters
  try {
    const request = { realm, service, scope, auth, insecureTls, registryHost: host, ...options }
    const { token, identityToken } = await tokens.login(request)
    return { authorization: `Bearer ${token}`, identityToken: identityToken ?? auth.identityToken }
  } catch (error) {
    if (!isBerthError(error) || error.details.status === undefined) throw error
    throw new BerthError(error.kind, `Get "${url}": ${error.message}`, { cause: error, details: error.details })
  }
}

async function ask(
  { transport }: Pick<LoginWays, 'transport'>,
  { insecureTls, host }: Endpoint,
  url: string,
  authorization: string | undefined,
  { signal }: AbortOptions,
): Promise<HttpResponse> {
  const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization }
  const response = await transport.send({ url, headers, insecureTls, registryHost: host, signal })
  await readBody(response.body, maxIgnoredBytes)
  return response
}
