/** Patterns for whole paths, matched part by part on the way down a tree, so that a walk can stop where nothing
 *  below can match. `**` stands for any number of parts; the rest are Go's filepath.Match rules.
 *  A pattern is a list of alternatives of parts, since `**` need not be a part of its own (`a**b`). */
import { compileSegment, type SegmentMatcher } from './path-segment.ts'

/** `skip`: any number of parts, also none. */
type Part = SegmentMatcher | 'skip'

/** Positions in a pattern that are reached by a directory: [alternative, part] as one number. Empty: nothing
 *  below can match. */
export type PatternState = readonly number[]

/** More than a line of a file has parts. */
const stride = 65536

export class PathPattern {
  readonly #alternatives: readonly (readonly Part[])[]

  /** Compiles a clean pattern. Without `doubleStar`, `**` means what `*` means.
   *  Throws `invalidArgument` when it is malformed. */
  constructor(pattern: string, { doubleStar = true }: { readonly doubleStar?: boolean } = {}) {
    const variants = doubleStar ? spread(pattern) : [pattern.split('/')]
    this.#alternatives = variants.map((parts) =>
      parts.map((part) => (part === '**' && doubleStar ? 'skip' : compileSegment(part))),
    )
  }

  /** The state of the root. */
  start(): PatternState {
    return this.#close(this.#alternatives.map((_, index) => index * stride))
  }

  /** The state one part further down. */
  enter(state: PatternState, name: string): PatternState {
    if (state.length === 0) return state
    const next: number[] = []
    for (const position of state) {
      const part = this.#partAt(position)
      if (part === 'skip') next.push(position)
      else if (part?.(name) === true) next.push(position + 1)
    }
    return next.length === 0 ? next : this.#close(next)
  }

  /** True when the path that led to this state is matched. */
  isMatch(state: PatternState): boolean {
    return state.some((position) => position % stride === this.#lengthAt(position))
  }

  /** True when a path below the one that led to this state can be matched. */
  canMatchBelow(state: PatternState): boolean {
    return state.some((position) => position % stride < this.#lengthAt(position))
  }

  /** True when the path is matched as a whole. */
  matches(path: string): boolean {
    let state = this.start()
    for (const part of path.split('/')) state = this.enter(state, part)
    return this.isMatch(state)
  }

  /** Adds the positions behind each `**`, which may stand for nothing. */
  #close(positions: readonly number[]): PatternState {
    const closed = new Set(positions)
    for (const position of closed) if (this.#partAt(position) === 'skip') closed.add(position + 1)
    return [...closed]
  }

  #partAt(position: number): Part | undefined {
    return this.#alternatives[Math.floor(position / stride)]?.[position % stride]
  }

  #lengthAt(position: number): number {
    return this.#alternatives[Math.floor(position / stride)]?.length ?? 0
  }
}

const mostAlternatives = 64

/** Rewrites `**` so that it is always a part of its own: at the end of a pattern it is the rest of the path, else
 *  nothing or anything up to a slash. `a/**` needs something below `a`; `**` in front of more may be nothing. */
function spread(pattern: string): readonly string[][] {
  let heads: string[] = ['']
  let rest = pattern
  for (;;) {
    const at = findDoubleStar(rest)
    if (at === -1) break
    const before = rest.slice(0, at)
    rest = rest.slice(at).replace(/^\*\*+\/?/, '')
    heads = heads.flatMap((head) => variantsOf(head + before, rest === ''))
    if (heads.length > mostAlternatives) heads = heads.slice(0, mostAlternatives)
  }
  return heads.map((head) => (head + rest).split('/'))
}

/** What the text in front of a `**` becomes. */
function variantsOf(head: string, isLast: boolean): string[] {
  const ownPart = head === '' || head.endsWith('/')
  if (isLast) return ownPart ? [`${head}**/*`] : [`${head}*`, `${head}*/**/*`]
  return ownPart ? [`${head}**/`] : [head, `${head}*/**/`]
}

/** The first `**` that is neither escaped nor inside brackets. */
function findDoubleStar(pattern: string): number {
  for (let at = 0; at < pattern.length; at += 1) {
    if (pattern.startsWith('**', at)) return at
    if (pattern[at] === '\\') at += 1
    else if (pattern[at] === '[') at += (/^\[(?:\\[\s\S]|[^\]\\])+\]/.exec(pattern.slice(at))?.[0].length ?? 1) - 1
  }
  return -1
}
