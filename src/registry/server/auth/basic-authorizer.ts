/** Authorizes by name and password in every request (`Authorization: Basic`, RFC 7617), with rights by rules. */
import type { AccessDecision, AccessRequest, Authorizer } from '../model/authorizer.ts'
import { type AccessRules, allowsAll } from './access-rules.ts'
import { parseBasic, type UserDirectory } from './user-directory.ts'

export interface BasicAuthorizerOptions {
  readonly realm: string
  readonly users: UserDirectory
  readonly rules: AccessRules
}

export class BasicAuthorizer implements Authorizer {
  readonly #options: BasicAuthorizerOptions

  constructor(options: BasicAuthorizerOptions) {
    this.#options = options
  }

  async authorize({ path, headers, wanted }: AccessRequest): Promise<AccessDecision> {
    const { users, rules } = this.#options
    const { authorization } = headers
    const credentials = parseBasic(authorization)
    const isAnonymous = authorization === undefined || credentials?.name === ''
    if (!isAnonymous) {
      const known = credentials !== undefined && (await users.verify(credentials.name, credentials.password))
      if (!known) return this.#challenge(credentials?.name)
    }
    const user = isAnonymous ? undefined : credentials?.name
    const rights = rules.of(user)
    const canSee = (repository: string): boolean => rights.canPull(repository)
    // An anonymous `GET /v2/` asks how to log in, so it gets a challenge. On other paths (search), anonymous clients
    // get what everybody may see.
    const isAsking = user === undefined && wanted.length === 0 && (path.startsWith('/v2') || rights.isEmpty)
    if (!isAsking && allowsAll(rights, wanted)) {
      return { kind: 'allow', user, canSee: wanted.some(({ type }) => type === 'registry') ? undefined : canSee }
    }
    return user === undefined ? this.#challenge(undefined) : { kind: 'deny', user }
  }

  #challenge(user: string | undefined): AccessDecision {
    const realm = this.#options.realm.replace(/["\\]/g, '\\$&')
    return { kind: 'challenge', challenge: `Basic realm="${realm}"`, user }
  }
}
