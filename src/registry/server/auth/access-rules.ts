/** Rights by rules, as `registry.yml` has them: a right is there when any rule gives it. Without rules every user may
 *  do everything, and those who don't say who they are nothing. Pure. */
import type { AccessAction, AccessScope } from '../model/authorizer.ts'
import { compileRepositoryPattern } from './repository-pattern.ts'

/** Whom a rule is for, and what they may do where. */
export interface AccessRule {
  readonly users: readonly string[]
  readonly groups: readonly string[]
  /** Also for those who don't say who they are. */
  readonly anonymous: boolean
  /** Patterns of repository names (repository-pattern.ts). */
  readonly repositories: readonly string[]
  readonly actions: readonly ('pull' | 'push' | 'delete')[]
  /** May list all repositories. */
  readonly catalog: boolean
}

export interface AccessRulesOptions {
  /** Absent: every user may do everything. */
  readonly rules?: readonly AccessRule[] | undefined
  /** Users by the name of their group. */
  readonly groups?: Readonly<Record<string, readonly string[]>> | undefined
}

/** What one user may do. */
export interface UserRights {
  /** Of the actions of `scope` those that are allowed; `*` only with all there are. */
  allowed(scope: AccessScope): readonly AccessAction[]
  canPull(repository: string): boolean
  /** No rule gives anything. */
  readonly isEmpty: boolean
}

interface CompiledRule {
  readonly patterns: readonly RegExp[]
  readonly actions: ReadonlySet<AccessAction>
  readonly catalog: boolean
}

const everything: readonly AccessAction[] = ['pull', 'push', 'delete']
/** Of the users whose rules are kept compiled; there may be any number of names. */
const rememberedUsers = 1000

export class AccessRules {
  readonly #rules: readonly AccessRule[] | undefined
  readonly #groups: Readonly<Record<string, readonly string[]>>
  readonly #rights = new Map<string | undefined, UserRights>()

  constructor({ rules, groups = {} }: AccessRulesOptions = {}) {
    this.#rules = rules
    this.#groups = groups
  }

  /** What `user` may do; undefined: who doesn't say who it is. */
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

/** Whether all of `wanted` is allowed. */
export function allowsAll(rights: UserRights, wanted: readonly AccessScope[]): boolean {
  return wanted.every((scope) => rights.allowed(scope).length === scope.actions.length)
}
