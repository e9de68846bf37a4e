/** Turns failures of registries into BerthErrors: connection errors, statuses and OCI error codes.
 *  https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
import type { IncomingHttpHeaders } from 'node:http'
import { BerthError, type ErrorKind, errnoOf, messageOf } from '../../../base/index.ts'
import { isObject } from '../../../oci/index.ts'
import { parseChallenges } from './auth-challenge.ts'

const denied = Buffer.from('{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}')

/** The first error in a registry's error answer. */
export interface RegistryErrorBody {
  readonly code: string
  readonly message: string
}

/** True if the same request may succeed a little later. */
export function isRetryable(error: unknown): boolean {
  return error instanceof BerthError && error.details.retryable === true
}

/** The code in the registry's error answer, such as `MANIFEST_UNKNOWN`; undefined if the error has none. */
export function registryCodeOf(error: unknown): string | undefined {
  if (!(error instanceof BerthError)) return undefined
  const { registryCode } = error.details
  return typeof registryCode === 'string' ? registryCode : undefined
}

/** The error for a connection that failed or broke, with Docker's message: `unavailable`, or `cancelled` for the
 *  signal. */
export function connectionError(
  error: unknown,
  method: string,
  url: string,
  signal?: AbortSignal,
  viaProxy = false,
): BerthError {
  if (error instanceof BerthError) return error
  if (signal?.aborted === true) return new BerthError('cancelled', 'context canceled', { cause: error })
  const code = errnoOf(error) ?? ''
  const reason = describe(error, code, new URL(url), viaProxy)
  const message = `${verbOf(method)} "${withoutQuery(url)}": ${reason}`
  const retryable = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN'].includes(code)
  return new BerthError('unavailable', message, { cause: error, details: { retryable, errno: code, reason } })
}

/** True if the connection itself failed although the host has an address: perhaps the server doesn't speak TLS. */
export function isWrongScheme(error: unknown): boolean {
  if (!(error instanceof BerthError) || error.kind !== 'unavailable') return false
  return !['ENOTFOUND', 'EAI_AGAIN'].includes(String(error.details.errno ?? '')) && error.details.errno !== undefined
}

/** The error if a registry requires a user name and none was given, with Docker's message. */
export function noBasicCredentials(method: string, url: string): BerthError {
  return new BerthError('unauthorized', `${verbOf(method)} "${withoutQuery(url)}": no basic auth credentials`, {
    details: { status: 401, noCredentials: true },
  })
}

/** The error for a response with an error status. In a 401, the challenge tells whether the user lacks a right.
 *  https://www.rfc-editor.org/rfc/rfc6750#section-3.1 */
export function responseError(
  { status, headers, url }: { readonly status: number; readonly headers: IncomingHttpHeaders; readonly url: string },
  method: string,
  body: Buffer,
): BerthError {
  const challenge = parseChallenges(headers['www-authenticate'] ?? '').find(({ scheme }) => scheme === 'bearer')
  const isDenied = status === 401 && challenge?.parameters.error === 'insufficient_scope'
  return statusError(status, isDenied ? denied : body, method, url, headers['retry-after'])
}

/** The error for a response with an error status. */
export function statusError(status: number, body: Buffer, method: string, url: string, retryAfter = ''): BerthError {
  const first = parseErrorBody(body)
  const details = {
    status,
    retryable: status === 429 || status === 408 || status >= 500,
    ...(first === undefined ? {} : { registryCode: first.code }),
    ...retryAfterOf(retryAfter),
  }
  return new BerthError(kindOf(status, first?.code), textOf(status, first, method, url), { details })
}

/** Turns the error of a failed pull into Docker's form, which names the image. Other values are returned as they
 *  are. */
export function pullError(error: unknown, name: string, reference: string): unknown {
  if (!(error instanceof BerthError)) return error
  const wrap = (kind: ErrorKind, text: string) =>
    new BerthError(kind, `${text}${error.message}`, { cause: error, details: error.details })
  switch (registryCodeOf(error)) {
    case 'DENIED':
      return wrap(
        'notFound',
        `pull access denied for ${name}, repository does not exist or may require 'docker login': `,
      )
    case 'MANIFEST_UNKNOWN':
      return wrap('notFound', `manifest for ${reference} not found: `)
    case 'NAME_UNKNOWN':
      return wrap('notFound', `repository ${name} not found: `)
    default:
      // With a status of 401, the client would ask its user for a password. Docker's daemon never sends that.
      return error.kind === 'unauthorized' ? wrap('forbidden', '') : error
  }
}

export function tooManyRedirects(url: string): BerthError {
  return new BerthError('unavailable', `Get "${withoutQuery(url)}": stopped after 10 redirects`)
}

function verbOf(method: string): string {
  return method.slice(0, 1).toUpperCase() + method.slice(1).toLowerCase()
}

/** Reads `Retry-After`, which is a number of seconds or a date. */
function retryAfterOf(header: string): { readonly retryAfterMs?: number } {
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isFinite(ms) ? { retryAfterMs: Math.max(0, ms) } : {}
}

function describe(error: unknown, code: string, url: URL, viaProxy: boolean): string {
  const address =
    addressOf(error) ?? `${url.hostname}:${url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port}`
  const text = describeConnection(code, address, hostOf(error) ?? url.hostname) ?? describeTls(error, code)
  return viaProxy && text.startsWith('dial tcp') ? `proxyconnect tcp: ${text}` : text
}

/** The address and port of Node's error, to which it tried to connect. It may be a proxy. */
function addressOf(error: unknown): string | undefined {
  const { address, port } = (error ?? {}) as { readonly address?: unknown; readonly port?: unknown }
  if (typeof address !== 'string' || typeof port !== 'number') return undefined
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function hostOf(error: unknown): string | undefined {
  const { hostname } = (error ?? {}) as { readonly hostname?: unknown }
  return typeof hostname === 'string' ? hostname : undefined
}

function describeConnection(code: string, address: string, host: string): string | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${address}: connect: connection refused`
    case 'EHOSTUNREACH':
      return `dial tcp ${address}: connect: no route to host`
    case 'ENETUNREACH':
      return `dial tcp ${address}: connect: network is unreachable`
    case 'ETIMEDOUT':
      return `dial tcp ${address}: i/o timeout`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${host}: no such host`
    case 'ECONNRESET':
      return `read tcp ${address}: connection reset by peer`
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'http: server gave HTTP response to HTTPS client'
    default:
      return undefined
  }
}

function describeTls(error: unknown, code: string): string {
  const selfSigned = ['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']
  if (selfSigned.includes(code) || code === 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY') {
    return 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
  }
  if (code === 'CERT_HAS_EXPIRED') {
    return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid'
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `tls: failed to verify certificate: x509: ${messageOf(error)}`
  }
  return messageOf(error)
}

function parseErrorBody(body: Buffer): RegistryErrorBody | undefined {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    return undefined // for example an HTML page of a proxy in front of the registry
  }
  if (!isObject(value)) return undefined
  const first: unknown = Array.isArray(value.errors) ? value.errors[0] : undefined
  if (isObject(first) && typeof first.code === 'string') {
    return { code: first.code, message: typeof first.message === 'string' ? first.message : '' }
  }
  // Some token servers answer in this form.
  if (typeof value.details === 'string') return { code: 'UNAUTHORIZED', message: value.details }
  return undefined
}

function kindOf(status: number, code: string | undefined): ErrorKind {
  if (code === 'UNAUTHORIZED' || status === 401) return 'unauthorized'
  if (code === 'DENIED' || status === 403) return 'forbidden'
  if (status === 404) return 'notFound'
  if (status === 429 || status === 408 || status >= 500) return 'unavailable'
  return 'internal'
}

function textOf(status: number, first: RegistryErrorBody | undefined, method: string, url: string): string {
  if (first === undefined) {
    return `unexpected status from ${method} request to ${withoutQuery(url)}: ${status}`
  }
  const words: Readonly<Record<string, string>> = { TOOMANYREQUESTS: 'toomanyrequests', DENIED: 'denied' }
  const code = words[first.code] ?? first.code.toLowerCase().replaceAll('_', ' ')
  return first.message === '' ? code : `${code}: ${first.message}`
}

function withoutQuery(url: string): string {
  const parsed = new URL(url)
  return `${parsed.origin}${parsed.pathname}`
}
