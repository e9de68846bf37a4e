/** Scopes as text, such as `repository:team/app:pull,push`, separated by spaces.
 *  https://distribution.github.io/distribution/spec/auth/scope/ */
import type { AccessAction, AccessScope } from '../model/authorizer.ts'
import { isRepositoryName } from '../model/repository-name.ts'

const actions: readonly string[] = ['pull', 'push', 'delete', '*']
/** More scopes in one request are refused, because each is looked up in the rules. */
const maxScopes = 100

/** Parses texts with one or more scopes each; undefined if there are too many. Unknown types and actions and malformed
 *  names are left out, since no rule grants them. */
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

/** The known actions among `wanted`, each once. */
export function knownActions(wanted: readonly unknown[]): readonly AccessAction[] {
  return actions.filter((action): action is AccessAction => wanted.includes(action))
}

/** Formats scopes for a challenge or a token. */
export function formatScopes(scopes: readonly AccessScope[]): string {
  return scopes.map(({ type, name, actions: wanted }) => `${type}:${name}:${wanted.join(',')}`).join(' ')
}

/** True if `granted` contains everything in `wanted`. */
export function covers(granted: readonly AccessScope[], wanted: readonly AccessScope[]): boolean {
  return wanted.every(({ type, name, actions: needed }) => {
    const same = granted.filter((scope) => scope.type === type && scope.name === name)
    return needed.every((action) => same.some((scope) => scope.actions.includes('*') || scope.actions.includes(action)))
  })
}
