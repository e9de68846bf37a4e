/** Which files a walk over a context lists: named paths with everything below them, and what patterns match. Pure. */
import type { BuildWalkPattern } from '../../../api/index.ts'
import { PathPattern, type PatternState } from '../../../build/dockerfile/index.ts'

/** The part of a directory to list. */
export interface Wanted {
  /** The names of entries that may be listed. Undefined: all. */
  readonly names: Iterable<string> | undefined
  /** True if the directory itself is listed. Otherwise it only leads to files that a pattern may match. */
  readonly isNamed: boolean
  /** The part of an entry to list. Undefined: none of it. */
  enter(name: string): Wanted | undefined
}

interface Live {
  readonly pattern: PathPattern
  readonly state: PatternState
}

const everything: Wanted = { names: undefined, isNamed: true, enter: () => everything }

/** Combines `roots` and `patterns` as the daemon sends them. */
export function wantedTree(roots: readonly string[], patterns: readonly BuildWalkPattern[]): Wanted {
  const top = new Part(true)
  for (const root of roots) top.reach(root).isAll = true
  for (const { directory, pattern, doubleStar } of patterns) {
    const compiled = new PathPattern(pattern, { doubleStar })
    top.reach(directory).live.push({ pattern: compiled, state: compiled.start() })
  }
  return top.isAll ? everything : top
}

/** A directory of which only a part is listed. */
class Part implements Wanted {
  readonly isNamed: boolean
  readonly live: Live[] = []
  readonly #children: Map<string, Part>
  isAll = false

  constructor(isNamed: boolean, children = new Map<string, Part>()) {
    this.isNamed = isNamed
    this.#children = children
  }

  /** The part at a path below, created if it is missing. */
  reach(path: string): Part {
    let at: Part = this
    for (const name of path.split('/')) {
      if (name === '' || name === '.') continue
      const next = at.#children.get(name) ?? new Part(true)
      at.#children.set(name, next)
      at = next
    }
    return at
  }

  get names(): Iterable<string> | undefined {
    return this.live.length > 0 ? undefined : this.#children.keys()
  }

  enter(name: string): Wanted | undefined {
    const named = this.#children.get(name)
    if (named?.isAll === true) return everything
    const live: Live[] = []
    for (const { pattern, state } of this.live) {
      const next = pattern.enter(state, name)
      if (next.length === 0) continue
      if (pattern.isMatch(next)) return everything
      live.push({ pattern, state: next })
    }
    if (live.length === 0) return named
    const within = new Part(named !== undefined, named === undefined ? new Map() : named.#children)
    within.live.push(...live, ...(named?.live ?? []))
    return within
  }
}
