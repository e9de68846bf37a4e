/** What a walk over a context is to list: paths with all below them, and what patterns match. Pure. */
import type { BuildWalkPattern } from '../../../api/index.ts'
import { PathPattern, type PatternState } from '../../../build/dockerfile/index.ts'

/** What is wanted of a directory. */
export interface Wanted {
  /** Its entries that can be wanted; undefined: any. */
  readonly names: Iterable<string> | undefined
  /** It is wanted for itself. Otherwise it is only on the way to what a pattern may match, so it must be a directory. */
  readonly isNamed: boolean
  /** What is wanted of an entry; undefined: nothing. */
  enter(name: string): Wanted | undefined
}

interface Live {
  readonly pattern: PathPattern
  readonly state: PatternState
}

const everything: Wanted = { names: undefined, isNamed: true, enter: () => everything }

/** `roots` and `patterns` as the daemon asks for them. */
export function wantedTree(roots: readonly string[], patterns: readonly BuildWalkPattern[]): Wanted {
  const top = new Part(true)
  for (const root of roots) top.reach(root).isAll = true
  for (const { directory, pattern, doubleStar } of patterns) {
    const compiled = new PathPattern(pattern, { doubleStar })
    top.reach(directory).live.push({ pattern: compiled, state: compiled.start() })
  }
  return top.isAll ? everything : top
}

/** A directory of which a part is wanted. */
class Part implements Wanted {
  readonly isNamed: boolean
  readonly live: Live[] = []
  readonly #children: Map<string, Part>
  isAll = false

  constructor(isNamed: boolean, children = new Map<string, Part>()) {
    this.isNamed = isNamed
    this.#children = children
  }

  /** The part at a path below, made when it is missing. */
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
