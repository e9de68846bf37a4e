/** Rights by rules, as in `registry.yml`. A right exists if any rule grants it. Without rules, every user may do
 *  everything and anonymous clients nothing. Pure. */
import type { AccessAction, AccessScope } from '../model/authorizer.ts'
import { compileRepositoryPattern } from './repository-pattern.ts'

/** A rule: its users, and what they may do in which repositories. */
export interface AccessRule {
  readonly users: readonly string[]
  readonly groups: readonly string[]
  /** The rule is for everybody, anonymous clients included. */
  readonly anonymous: boolean
  /** Patterns of repository names (repository-pattern.ts). */
  readonly repositories: readonly string[]
  readonly actions: readonly ('pull' | 'push' | 'delete')[]
  /** Grants the catalog: the list of all repositories. */
  readonly catalog: boolean
}

/** The options of `AccessRules`. */
export interface AccessRulesOptions {
  /** Default: every user may do everything. */
  readonly rules?: readonly AccessRule[] | undefined
  /** Users by the name of their group. */
  readonly groups?: Readonly<Record<string, readonly string[]>> | undefined
}

/** The rights of one user. */
export interface UserRights {
  /** The allowed actions among those of `scope`. `*` is allowed only together with every single action. */
  allowed(scope: AccessScope): readonly AccessAction[]
  canPull(repository: string): boolean
  /** No rule is for this user. */
  readonly isEmpty: boolean
}

interface CompiledRule {
  readonly patterns: readonly RegExp[]
  readonly actions: ReadonlySet<AccessAction>
  readonly catalog: boolean
}

const everything: readonly AccessAction[] = ['pull', 'push', 'delete']
/** The rules of at most this many users stay compiled. Clients can send any number of names. */
const rememberedUsers = 1000

/** The rules of a registry: which users may pull, push or delete in which repositories. */
export class AccessRules {
  readonly #rules: readonly AccessRule[] | undefined
  readonly #groups: Readonly<Record<string, readonly string[]>>
  readonly #rights = new Map<string | undefined, UserRights>()

  constructor({ rules, groups = {} }: AccessRulesOptions = {}) {
    this.#rules = rules
    this.#groups = groups
  }

  /** The rights of a user; undefined for anonymous clients. */
  of(user: string | undefined): UserRights {
    const known = this.#rights.get(user)
    if (known !== undefined) return known
    if (this.#rights.size >= rememberedUsers) this.#rights.clear()
    const rights = rightsOf(this.#rulesFor(user))
    this.#rights.set(user, rights)
    return rights
  }

  #rulesFor(user: string | undefined): readonly CompiledRule[] {
    if (this.#rules === undefined) {
      return user === undefined ? [] : [{ patterns: [/^/], actions: new Set(everything), catalog: true }]
    }
    return this.#rules
      .filter((rule) => this.#isFor(rule, user))
      .map((rule) => ({
        patterns: rule.repositories.map((pattern) => compileRepositoryPattern(pattern, user)),
        actions: new Set<AccessAction>(rule.actions),
        catalog: rule.catalog,
      }))
  }

  #isFor({ anonymous, users, groups }: AccessRule, user: string | undefined): boolean {
    if (anonymous) return true
    if (user === undefined) return false
    return users.includes(user) || groups.some((name) => this.#groups[name]?.includes(user) === true)
  }
}

function rightsOf(rules: readonly CompiledRule[]): UserRights {
  const may = (action: AccessAction, repository: string): boolean =>
    rules.some(({ actions, patterns }) => actions.has(action) && patterns.some((pattern) => pattern.test(repository)))
  return {
    canPull: (repository) => may('pull', repository),
    isEmpty: rules.length === 0,
    allowed: ({ type, name, actions }) => {
      if (type === 'registry') return name === 'catalog' && rules.some(({ catalog }) => catalog) ? actions : []
      return actions.filter((action) =>
        action === '*' ? everything.every((one) => may(one, name)) : may(action, name),
      )
    },
  }
}

/** True if the rights allow everything in `wanted`. */
export function allowsAll(rights: UserRights, wanted: readonly AccessScope[]): boolean {
  return wanted.every((scope) => rights.allowed(scope).length === scope.actions.length)
}
