/** Finds the route of a method and a path. A pattern has literal segments, `{name}` (one segment) and `{name...}`
 *  (one or more segments, because image references have slashes), which may be in the middle:
 *  `/images/{name...}/json`. A trailing slash of the path is ignored. If several patterns match, the one registered
 *  first wins. Routes are grouped by their first segment, so a look-up tries the patterns of one noun only. */

/** The parameters of a path, percent-decoded. */
export type PathParameters = Readonly<Record<string, string>>

/** A route that was found, and the parameters of its path. */
export interface RouteMatch<Target> {
  readonly target: Target
  readonly parameters: PathParameters
}

interface CompiledRoute<Target> {
  readonly expression: RegExp
  readonly target: Target
}

/** A table of routes. `Target` is what each of them leads to. */
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

  /** The route for a path without its query; undefined when there is none. HEAD does not fall back to GET. */
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
    // A stray percent sign is not an escape: the name is taken unchanged, and will not be found.
    return text
  }
}
