/** Patterns of repository names. `*` matches any text within a part of the name. `**` as a part matches any number of
 *  parts, at the end at least one. `${user}` matches the user's name. */

/** Compiles a pattern for one user. For anonymous clients a pattern with `${user}` matches nothing. */
export function compileRepositoryPattern(pattern: string, user: string | undefined): RegExp {
  const parts = pattern.split('/')
  if (user === undefined && pattern.includes('${user}')) return /(?!)/
  const source = parts.map((part, index) => {
    const isLast = index === parts.length - 1
    if (part === '**') return isLast ? '.+' : '(?:[^/]+/)*'
    return partSource(part, user ?? '') + (isLast ? '' : '/')
  })
  return new RegExp(`^${source.join('')}$`)
}

function partSource(part: string, user: string): string {
  return part
    .split(/(\*\*|\*|\$\{user\})/)
    .map((piece) => {
      if (piece === '**') return '.*'
      if (piece === '*') return '[^/]*'
      return RegExp.escape(piece === '${user}' ? user : piece)
    })
    .join('')
}
