/** Parses `WWW-Authenticate` headers. https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1 */

export interface AuthChallenge {
  readonly scheme: 'basic' | 'bearer'
  readonly parameters: Readonly<Record<string, string>>
}

/** The supported challenges of the header (Basic and Bearer), in the server's order. */
export function parseChallenges(header: string): AuthChallenge[] {
  const challenges: { scheme: 'basic' | 'bearer'; parameters: Record<string, string> }[] = []
  let current: Record<string, string> | undefined
  // Either `name=value`, quoted or not, or the name of a scheme.
  const token = /([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/g
  for (const [, word = '', quoted, plain] of header.matchAll(token)) {
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain
    if (value !== undefined) {
      if (current !== undefined) current[word.toLowerCase()] = value
      continue
    }
    const scheme = word.toLowerCase()
    current = {}
    if (scheme === 'basic' || scheme === 'bearer') challenges.push({ scheme, parameters: current })
  }
  return challenges
}
