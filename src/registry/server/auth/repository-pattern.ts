/** Patterns of repository names: `*` stands for anything within a part of the name, `**` as a part for any number of
 *  parts (at the end for at least one), `${user}` for the user's name. */

/** The pattern as an expression for one user. `${user}` matches nothing for those who have no name. */
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
