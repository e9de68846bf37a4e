/** Finds the route of a method and path. Patterns are made of literal segments, `{name}` (one segment)
 *  and `{name...}` (one or more segments, as image references have slashes), which may stand in the middle:
 *  `/images/{name...}/json`. A trailing slash of the path is ignored.
 *
 *  Of several patterns that match, the one registered first wins. Routes are grouped by their first segment,
 *  so that a look-up tries only a noun's own patterns. */

/** A path's parameters, percent-decoded. */
export type PathParameters = Readonly<Record<string, string>>

export interface RouteMatch<Target> {
  readonly target: Target
  readonly parameters: PathParameters
}

interface CompiledRoute<Target> {
  readonly expression: RegExp
  readonly target: Target
}

export class Router<Target> {
  readonly #groups = new Map<string, CompiledRoute<Target>[]>()

  /** Registers `target` for a method and pattern. */
  add(method: string, pattern: string, target: Target): void {
    const key = groupKey(method, pattern)
    const group = this.#groups.get(key)
    const route = { expression: compilePattern(pattern), target }
    if (group === undefined) this.#groups.set(key, [route])
    else group.push(route)
  }

  /** The route for a path without query, or undefined. HEAD does not fall back to GET. */
  find(method: string, path: string): RouteMatch<Target> | undefined {
    for (const { expression, target } of this.#groups.get(groupKey(method, path)) ?? []) {
      const match = expression.exec(path)
      if (match !== null) return { target, parameters: decodeParameters(match.groups) }
    }
    return undefined
  }
}

function groupKey(method: string, path: string): string {
  const end = path.indexOf('/', 1)
  return `${method} ${end === -1 ? path.slice(1) : path.slice(1, end)}`
}

function compilePattern(pattern: string): RegExp {
  const source = pattern
    .split('/')
    .slice(1)
    .map((segment) => {
      const match = /^\{(\w+)(\.\.\.)?\}$/.exec(segment)
      if (match === null) return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      return match[2] === undefined ? `(?<${match[1]}>[^/]+)` : `(?<${match[1]}>.+)`
    })
    .join('/')
  return new RegExp(`^/${source}/?$`)
}

function decodeParameters(groups: Record<string, string> | undefined): PathParameters {
  const parameters: Record<string, string> = {}
  for (const [name, value] of Object.entries(groups ?? {})) parameters[name] = decodeSegment(value)
  return parameters
}

function decodeSegment(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray percent sign is no escape: the name is then taken as it stands, and will not be found.
    return text
  }
}
