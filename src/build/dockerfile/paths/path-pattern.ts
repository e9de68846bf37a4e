/** Patterns for whole paths. They are matched part by part on the way down a tree, so that a walk can stop where
 *  nothing below can match. `**` matches any number of parts; everything else follows Go's filepath.Match. A pattern is
 *  compiled to a list of alternatives, because `**` need not be a part of its own (`a**b`). */
import { compileSegment, type SegmentMatcher } from './path-segment.ts'

/** `skip` matches any number of parts, including none. `end`: the path matches. */
type Part = SegmentMatcher | 'skip' | 'end'

/** The positions in a pattern that a directory has reached. Empty: nothing below can match. */
export type PatternState = readonly number[]

/** A compiled pattern. Matching goes through states: `start` for the root, then `enter` for each part. */
export class PathPattern {
  /** All alternatives in one list, each with its `end`. */
  readonly #parts: readonly Part[]
  readonly #start: PatternState

  /** Compiles a clean pattern. Without `doubleStar`, `**` means the same as `*`. Throws `invalidArgument` for a
   *  malformed pattern. */
  constructor(pattern: string, { doubleStar = true }: { readonly doubleStar?: boolean } = {}) {
    const parts: Part[] = []
    const starts: number[] = []
    for (const variant of doubleStar ? spread(pattern) : [pattern.split('/')]) {
      starts.push(parts.length)
      for (const part of variant) parts.push(part === '**' && doubleStar ? 'skip' : compileSegment(part))
      parts.push('end')
    }
    this.#parts = parts
    this.#start = starts.reduce<number[]>((state, position) => this.#reach(state, position), [])
  }

  /** The state of the root. */
  start(): PatternState {
    return this.#start
  }

  /** The state one part further down. */
  enter(state: PatternState, name: string): PatternState {
    const next: number[] = []
    for (const position of state) {
      const part = this.#parts[position]
      if (part === 'skip') this.#reach(next, position)
      else if (part !== 'end' && part?.(name) === true) this.#reach(next, position + 1)
    }
    return next
  }

  /** True when the path that led to this state matches. */
  isMatch(state: PatternState): boolean {
    return state.some((position) => this.#parts[position] === 'end')
  }

  /** True when a path below the one that led to this state can match. */
  canMatchBelow(state: PatternState): boolean {
    return state.some((position) => this.#parts[position] !== 'end')
  }

  /** True when the whole path matches. */
  matches(path: string): boolean {
    let state = this.start()
    for (const part of path.split('/')) state = this.enter(state, part)
    return this.isMatch(state)
  }

  /** Adds a position, and the positions after it that are reached when `**` matches nothing. */
  #reach(state: number[], from: number): number[] {
    for (let position = from; !state.includes(position); position += 1) {
      state.push(position)
      if (this.#parts[position] !== 'skip') break
    }
    return state
  }
}

const mostAlternatives = 64

/** Rewrites `**` so that it is always a part of its own. At the end of a pattern it matches the rest of the path,
 *  elsewhere nothing or anything up to a slash. `a/**` needs something below `a`; `**` before more may match
 *  nothing. */
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

/** What the text before a `**` becomes. */
function variantsOf(head: string, isLast: boolean): string[] {
  const ownPart = head === '' || head.endsWith('/')
  if (isLast) return ownPart ? [`${head}**/*`] : [`${head}*`, `${head}*/**/*`]
  return ownPart ? [`${head}**/`] : [head, `${head}*/**/`]
}

/** Index of the first `**` that is neither escaped nor inside brackets. */
function findDoubleStar(pattern: string): number {
  for (let at = 0; at < pattern.length; at += 1) {
    if (pattern.startsWith('**', at)) return at
    if (pattern[at] === '\\') at += 1
    else if (pattern[at] === '[') at += (/^\[(?:\\[\s\S]|[^\]\\])+\]/.exec(pattern.slice(at))?.[0].length ?? 1) - 1
  }
  return -1
}
