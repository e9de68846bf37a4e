/** Assembles the parts of this folder: from the configuration of a registry to an authorizer and, if it issues tokens,
 *  a token service. */
import { type Logger, nullLogger } from '../../../base/index.ts'
import { type Authorizer, openAccess } from '../model/authorizer.ts'
import type { ObjectStorage } from '../storage/registry-storage.ts'
import { type AccessRule, AccessRules } from './access-rules.ts'
import { BasicAuthorizer } from './basic-authorizer.ts'
import { BearerAuthorizer } from './bearer-authorizer.ts'
import { HtpasswdUsers } from './htpasswd-users.ts'
import { readSigningKey, readTrustedKeys, type SigningKey, storedSigningKey } from './token-keys.ts'
import { TokenService } from './token-service.ts'
import { TokenVerifier } from './token-verifier.ts'

/** Tokens that the registry issues itself. */
export interface OwnTokenOptions {
  /** The registry's name in tokens (`aud`). */
  readonly service: string
  /** The token service's name in tokens (`iss`). */
  readonly issuer: string
  /** URL of the token service. Default: `/token` at the address that the client used. */
  readonly realm?: string | undefined
  /** PEM file with an EC P-256 key. Default: a key in the storage, which is made if it is missing. */
  readonly keyFile?: string | undefined
  /** Lifetimes of access and refresh tokens. */
  readonly expiresMs: number
  readonly refreshExpiresMs: number
}

/** Users of an htpasswd file, with rights by rules. */
export interface UserAccessOptions {
  readonly kind: 'users'
  /** The text of `Basic` challenges, which clients may show. */
  readonly realm: string
  readonly htpasswdFile: string
  /** Users by the name of their group. */
  readonly groups?: Readonly<Record<string, readonly string[]>> | undefined
  /** Default: every user may do everything, others nothing. */
  readonly rules?: readonly AccessRule[] | undefined
  /** Default: no tokens; clients send name and password with each request. */
  readonly tokens?: OwnTokenOptions | undefined
}

/** Tokens of another token service, checked with the keys of certificates, of a key set, or of both. */
export interface ForeignAccessOptions {
  readonly kind: 'foreign'
  readonly tokens: {
    readonly realm: string
    readonly service: string
    readonly issuer: string
    readonly certificatesFile?: string | undefined
    readonly jwksFile?: string | undefined
  }
}

/** How access is controlled. `none`: everybody may do everything. */
export type AccessControlOptions = { readonly kind: 'none' } | UserAccessOptions | ForeignAccessOptions

/** An opened access control. Its disposal ends the threads that check passwords. */
export interface AccessControl extends AsyncDisposable {
  readonly authorizer: Authorizer
  /** Set if the registry issues tokens itself. */
  readonly tokenService: TokenService | undefined
}

/** What `openAccessControl` needs besides the options. */
export interface AccessControlContext {
  /** The storage, for the key that signs tokens. */
  readonly objects: ObjectStorage
  readonly logger?: Logger | undefined
}

/** Reads all files that the options name. Rejects with `invalidArgument` if one can't be read or is malformed. */
export async function openAccessControl(
  options: AccessControlOptions,
  { objects, logger = nullLogger }: AccessControlContext,
): Promise<AccessControl> {
  switch (options.kind) {
    case 'none':
      return { authorizer: openAccess, tokenService: undefined, [Symbol.asyncDispose]: async () => {} }
    case 'foreign': {
      const { service, realm, issuer, ...files } = options.tokens
      const verifier = new TokenVerifier({ service, issuer, ...(await readTrustedKeys(files)) })
      const authorizer = new BearerAuthorizer({ verifier, service, realm })
      return { authorizer, tokenService: undefined, [Symbol.asyncDispose]: async () => {} }
    }
    case 'users':
      return openUserAccess(options, objects, logger)
    default:
      return options satisfies never
  }
}

async function openUserAccess(
  { realm, htpasswdFile, groups, rules: list, tokens }: UserAccessOptions,
  objects: ObjectStorage,
  logger: Logger,
): Promise<AccessControl> {
  const key = tokens === undefined ? undefined : await signingKeyFor(tokens, objects)
  const users = await HtpasswdUsers.open(htpasswdFile, { logger })
  const rules = new AccessRules({ rules: list, groups })
  const basic = new BasicAuthorizer({ realm, users, rules })
  const close = (): Promise<void> => users[Symbol.asyncDispose]()
  if (tokens === undefined || key === undefined) {
    return { authorizer: basic, tokenService: undefined, [Symbol.asyncDispose]: close }
  }
  const tokenService = new TokenService({ ...tokens, key, users, rules })
  const { service } = tokens
  const { verifier } = tokenService
  const authorizer = new BearerAuthorizer({ verifier, service, realm: tokens.realm, rules, basic })
  return { authorizer, tokenService, [Symbol.asyncDispose]: close }
}

function signingKeyFor({ keyFile }: OwnTokenOptions, objects: ObjectStorage): Promise<SigningKey> {
  return keyFile === undefined ? storedSigningKey(objects) : readSigningKey(keyFile)
}
