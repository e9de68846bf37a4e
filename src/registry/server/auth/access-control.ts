/** Puts the parts of this folder together: from what a registry's owner wants to an authorizer, and the paths that
 *  belong to it. */
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

/** Tokens of the registry's own service. */
export interface OwnTokenOptions {
  readonly service: string
  readonly issuer: string
  /** Absent: `/token` at the address that the client called. */
  readonly realm?: string | undefined
  /** PEM of an EC P-256 key; absent: one in the storage, made when there is none. */
  readonly keyFile?: string | undefined
  readonly expiresMs: number
  readonly refreshExpiresMs: number
}

/** Users of a file, with rights by rules. */
export interface UserAccessOptions {
  readonly kind: 'users'
  readonly realm: string
  readonly htpasswdFile: string
  readonly groups?: Readonly<Record<string, readonly string[]>> | undefined
  /** Absent: every user may do everything, nobody else anything. */
  readonly rules?: readonly AccessRule[] | undefined
  /** Absent: names and passwords only. */
  readonly tokens?: OwnTokenOptions | undefined
}

/** Tokens of another program's service, checked with the keys of certificates, of a key set, or of both. */
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

export type AccessControlOptions = { readonly kind: 'none' } | UserAccessOptions | ForeignAccessOptions

/** Who decides, and who gives tokens if this registry does. */
export interface AccessControl extends AsyncDisposable {
  readonly authorizer: Authorizer
  readonly tokenService: TokenService | undefined
}

export interface AccessControlContext {
  /** Where the key of tokens is kept. */
  readonly objects: ObjectStorage
  readonly logger?: Logger | undefined
}

/** Reads all files that the options name. Rejects with `invalidArgument` when one is not as it should be. */
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
