/** Scopes as text: `repository:team/app:pull,push`, several separated by spaces.
 *  https://distribution.github.io/distribution/spec/auth/scope/ */
import type { AccessAction, AccessScope } from '../model/authorizer.ts'
import { isRepositoryName } from '../model/repository-name.ts'

const actions: readonly string[] = ['pull', 'push', 'delete', '*']
/** More in one request are refused: each is looked up in the rules. */
const maxScopes = 100

/** The scopes in texts that may each hold several; undefined when there are too many. What this registry doesn't know
 *  (types, actions, malformed names) is left out: nobody has a right to it. */
export function parseScopes(texts: readonly string[]): readonly AccessScope[] | undefined {
  const parts = texts.flatMap((text) => text.split(' ')).filter((part) => part !== '')
  if (parts.length > maxScopes) return undefined
  return parts.flatMap((part) => {
    const scope = parseScope(part)
    return scope === undefined ? [] : [scope]
  })
}

function parseScope(text: string): AccessScope | undefined {
  const first = text.indexOf(':')
  const last = text.lastIndexOf(':')
  if (first === last) return undefined
  const type = text.slice(0, first)
  const name = text.slice(first + 1, last)
  const wanted = text.slice(last + 1).split(',')
  if (type === 'registry') return { type, name, actions: knownActions(wanted) }
  return type === 'repository' && isRepositoryName(name) ? { type, name, actions: knownActions(wanted) } : undefined
}

/** Those that exist, each once. */
export function knownActions(wanted: readonly unknown[]): readonly AccessAction[] {
  return actions.filter((action): action is AccessAction => wanted.includes(action))
}

/** The text that a challenge or a token request carries. */
export function formatScopes(scopes: readonly AccessScope[]): string {
  return scopes.map(({ type, name, actions: wanted }) => `${type}:${name}:${wanted.join(',')}`).join(' ')
}

/** Whether `granted` holds everything that is wanted. */
export function covers(granted: readonly AccessScope[], wanted: readonly AccessScope[]): boolean {
  return wanted.every(({ type, name, actions: needed }) => {
    const same = granted.filter((scope) => scope.type === type && scope.name === name)
    return needed.every((action) => same.some((scope) => scope.actions.includes('*') || scope.actions.includes(action)))
  })
}
