/** Checks access tokens (JWT) of one issuer for one service, as Docker's registry does: signature, issuer, audience and
 *  times. Clocks may differ by a minute. https://distribution.github.io/distribution/spec/auth/jwt/ */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import type { AccessScope } from '../model/authorizer.ts'
import { knownActions } from './scope-text.ts'
import type { TrustedKeys } from './token-keys.ts'

/** The claims of an access token. */
export interface AccessToken {
  /** '' for an anonymous client. */
  readonly user: string
  readonly access: readonly AccessScope[]
}

export interface TokenVerifierOptions extends TrustedKeys {
  readonly issuer: string
  readonly service: string
}

const algorithms = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA']
const clockToleranceSeconds = 60
/** Length of the longest accepted chain of certificates in a token. */
const maxChain = 8

/** How many valid tokens are remembered: clients send the same one with dozens of requests. */
const rememberedTokens = 2000

interface RememberedToken {
  readonly access: AccessToken
  readonly endsMs: number
}

export class TokenVerifier {
  readonly #options: TokenVerifierOptions
  readonly #remembered = new Map<string, RememberedToken>()

  constructor(options: TokenVerifierOptions) {
    this.#options = options
  }

  /** The claims of an access token; undefined if it is not valid. */
  async findAccess(token: string): Promise<AccessToken | undefined> {
    const key = createHash('sha256').update(token).digest('base64')
    const remembered = this.#remembered.get(key)
    if (remembered !== undefined && remembered.endsMs > Date.now()) return remembered.access
    const payload = await this.findClaims(token)
    // A refresh token gives no access.
    if (payload?.exp === undefined || payload.use === 'refresh') return undefined
    const access = { user: payload.sub ?? '', access: scopesOf(payload.access) }
    if (this.#remembered.size >= rememberedTokens) this.#remembered.clear()
    this.#remembered.set(key, { access, endsMs: payload.exp * 1000 })
    return access
  }

  /** The claims of a token of any kind; undefined if it is not valid. */
  async findClaims(token: string): Promise<JWTPayload | undefined> {
    const { issuer, service } = this.#options
    for (const key of this.#candidates(token)) {
      try {
        const verified = await jwtVerify(token, key, {
          issuer,
          audience: service,
          algorithms,
          clockTolerance: clockToleranceSeconds,
          requiredClaims: ['exp'],
        })
        return verified.payload
      } catch {
        // The token is forged, expired, for another service or from another key. It counts as no token.
      }
    }
    return undefined
  }

  #candidates(token: string): readonly KeyObject[] {
    const { keys, roots } = this.#options
    const { kid, x5c } = headerOf(token)
    if (x5c !== undefined) {
      const certified = certifiedKey(x5c, roots)
      return certified === undefined ? [] : [certified]
    }
    const named = keys.filter(({ ids }) => kid !== undefined && ids.includes(kid))
    // The id is only a hint, because services give the same key different ids.
    return (named.length > 0 ? named : keys).map(({ publicKey }) => publicKey)
  }
}

function headerOf(token: string): { readonly kid?: string | undefined; readonly x5c?: readonly string[] | undefined } {
  try {
    return decodeProtectedHeader(token)
  } catch {
    // The text is not a token, so no key will fit.
    return {}
  }
}

/** The key of a chain's first certificate, if one of the roots issued the chain. */
function certifiedKey(chain: readonly string[], roots: readonly X509Certificate[]): KeyObject | undefined {
  let certificates: readonly X509Certificate[]
  try {
    if (!Array.isArray(chain) || chain.length > maxChain) return undefined
    certificates = chain.map((text) => new X509Certificate(Buffer.from(text, 'base64')))
  } catch {
    // A certificate is malformed.
    return undefined
  }
  for (const [index, certificate] of certificates.entries()) {
    if (!isCurrent(certificate)) return undefined
    if (roots.some((root) => root.fingerprint256 === certificate.fingerprint256 || isIssuedBy(certificate, root))) {
      return certificates[0]?.publicKey
    }
    const next = certificates[index + 1]
    if (next === undefined || !next.ca || !isIssuedBy(certificate, next)) return undefined
  }
  return undefined
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return isCurrent(issuer) && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function isCurrent({ validFromDate, validToDate }: X509Certificate): boolean {
  const now = Date.now()
  return validFromDate.getTime() <= now && now <= validToDate.getTime()
}

function scopesOf(access: unknown): readonly AccessScope[] {
  if (!Array.isArray(access)) return []
  return access.flatMap((entry): readonly AccessScope[] => {
    if (!isRecord(entry)) return []
    const { type, name, actions } = entry
    if ((type !== 'repository' && type !== 'registry') || typeof name !== 'string' || !Array.isArray(actions)) return []
    return [{ type, name, actions: knownActions(actions) }]
  })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
