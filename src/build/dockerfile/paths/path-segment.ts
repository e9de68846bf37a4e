/** Patterns for one part of a path, by the rules of Go's filepath.Match: `*`, `?`, `[a-z]`, `[^a-z]`, backslash.
 *  Matching takes at most time proportional to the name's length times the pattern's. */
import { invalidArgument } from '../../../base/index.ts'

type Token =
  | { readonly kind: 'any' }
  | { readonly kind: 'star' }
  | { readonly kind: 'char'; readonly char: string }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] }

/** Gives true when a name without slashes matches. */
export type SegmentMatcher = (name: string) => boolean

/** Compiles one part of a pattern. Throws `invalidArgument` for a malformed pattern. */
export function compileSegment(pattern: string): SegmentMatcher {
  const tokens = parseSegment(pattern)
  const literal = (part: readonly Token[]) => part.every((token) => token.kind === 'char')
  const textOf = (part: readonly Token[]) => part.map((token) => (token.kind === 'char' ? token.char : '')).join('')
  if (literal(tokens)) {
    const text = textOf(tokens)
    return (name) => name === text
  }
  const star = tokens.findIndex((token) => token.kind === 'star')
  const before = tokens.slice(0, star)
  const after = tokens.slice(star + 1)
  // A fast path for `*`, `a*`, `*.b` and `a*b`, which are nearly all patterns in practice.
  if (star !== -1 && literal(before) && literal(after)) {
    const prefix = textOf(before)
    const suffix = textOf(after)
    const least = prefix.length + suffix.length
    return (name) => name.length >= least && name.startsWith(prefix) && name.endsWith(suffix)
  }
  return (name) => matchTokens(tokens, [...name])
}

/** True when the pattern has a special character, so that it may match several names. */
export function hasWildcard(pattern: string): boolean {
  return /^(?:[^\\*?[]|\\[\s\S])*[*?[]/.test(pattern)
}

function parseSegment(pattern: string): readonly Token[] {
  const tokens: Token[] = []
  const chars = [...pattern]
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] ?? ''
    if (char === '*') {
      if (tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star' })
    } else if (char === '?') tokens.push({ kind: 'any' })
    else if (char === '[') at = parseClass(pattern, chars, at, tokens)
    else if (char === '\\') {
      at += 1
      const escaped = chars[at]
      if (escaped === undefined) throw malformed(pattern)
      tokens.push({ kind: 'char', char: escaped })
    } else tokens.push({ kind: 'char', char })
  }
  return tokens
}

/** Parses `[…]` from `start` and gives the index of its end. */
function parseClass(pattern: string, chars: readonly string[], start: number, tokens: Token[]): number {
  const ranges: [number, number][] = []
  const negated = chars[start + 1] === '^'
  let at = start + (negated ? 2 : 1)
  const one = () => {
    const char = chars[at] === '\\' ? chars[(at += 1)] : chars[at]
    const plain = chars[at - 1] !== '\\' || at - 1 <= start
    if (char === undefined || (plain && (char === '-' || char === ']'))) throw malformed(pattern)
    at += 1
    return char.codePointAt(0) ?? 0
  }
  while (chars[at] !== ']' || ranges.length === 0) {
    const low = one()
    let high = low
    if (chars[at] === '-') {
      at += 1
      high = one()
    }
    ranges.push([low, high])
    if (at >= chars.length) throw malformed(pattern)
  }
  tokens.push({ kind: 'class', negated, ranges })
  return at
}

function malformed(pattern: string): Error {
  return invalidArgument(`syntax error in pattern: ${JSON.stringify(pattern)}`)
}

/** Greedy with a single way back: only the extent of the last star is reconsidered. */
function matchTokens(tokens: readonly Token[], chars: readonly string[]): boolean {
  let token = 0
  let char = 0
  let star = -1
  let starChar = 0
  while (char < chars.length) {
    const current = tokens[token]
    if (current?.kind === 'star') {
      star = token
      starChar = char
      token += 1
    } else if (current !== undefined && matchesOne(current, chars[char] ?? '')) {
      token += 1
      char += 1
    } else if (star !== -1) {
      starChar += 1
      char = starChar
      token = star + 1
    } else return false
  }
  return tokens.slice(token).every((rest) => rest.kind === 'star')
}

function matchesOne(token: Token, char: string): boolean {
  if (token.kind === 'char') return token.char === char
  if (token.kind !== 'class') return true
  const code = char.codePointAt(0) ?? 0
  return token.ranges.some(([low, high]) => low <= code && code <= high) !== token.negated
}
