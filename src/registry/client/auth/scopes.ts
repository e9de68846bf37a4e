/** Scopes of tokens: `repository:NAME:ACTION,…`.
 *  https://distribution.github.io/distribution/spec/auth/scope/ */

/** The scopes of a token request: the repository's actions, the scopes of the registry's challenge (`asked`), and
 *  `more`. All actions on one resource are joined in one scope. */
export function wantedScopes(
  repository: string,
  actions: string,
  asked: string,
  more: readonly string[] = [],
): string[] {
  const byResource = new Map<string, Set<string>>()
  for (const scope of [`repository:${repository}:${actions}`, ...asked.split(' '), ...more]) {
    const colon = scope.lastIndexOf(':')
    if (colon <= 0) continue
    const resource = scope.slice(0, colon)
    const known = byResource.get(resource) ?? new Set<string>()
    for (const action of scope.slice(colon + 1).split(',')) if (action !== '') known.add(action)
    byResource.set(resource, known)
  }
  return [...byResource].map(([resource, known]) => `${resource}:${[...known].join(',')}`)
}
