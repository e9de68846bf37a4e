/** The patterns of `${x#p}`, `${x%p}` and `${x/p/r}`: `?` matches any character, `*` any number of them, a backslash
 *  makes the next character literal. Matching takes at most time proportional to the text's length times the
 *  pattern's. */

type Token = { readonly kind: 'any' } | { readonly kind: 'star' } | { readonly kind: 'char'; readonly char: string }

/** `text` without the shortest (or longest) prefix that matches `pattern`. */
export function trimPrefix(text: string, pattern: string, longest: boolean): string {
  const chars = [...text]
  const ends = matchEnds(chars, 0, parsePattern(pattern)).ends
  const end = longest ? ends.at(-1) : ends[0]
  return chars.slice(end ?? 0).join('')
}

/** `text` without the shortest (or longest) suffix that matches `pattern`. */
export function trimSuffix(text: string, pattern: string, longest: boolean): string {
  const chars = [...text].reverse()
  const ends = matchEnds(chars, 0, parsePattern(pattern).reverse()).ends
  const end = longest ? ends.at(-1) : ends[0]
  return chars
    .slice(end ?? 0)
    .reverse()
    .join('')
}

/** `text` with the first match (or all matches) of `pattern` replaced. Each match is as long as possible. An empty
 *  match does not count. */
export function replacePattern(text: string, pattern: string, replacement: string, all: boolean): string {
  const chars = [...text]
  const tokens = parsePattern(pattern)
  let result = ''
  let at = 0
  while (at < chars.length) {
    const { ends, starved } = matchEnds(chars, at, tokens)
    const end = ends.at(-1) ?? at
    // If nothing after the first star matched from here, nothing matches from further on either.
    if (end === at && starved) break
    if (end > at) {
      result += replacement
      at = end
      if (!all) break
    } else {
      result += chars[at]
      at += 1
    }
  }
  return result + chars.slice(at).join('')
}

function parsePattern(pattern: string): Token[] {
  const tokens: Token[] = []
  const chars = [...pattern]
  for (let i = 0; i < chars.length; i += 1) {
    let char = chars[i] ?? ''
    if (char === '*' && tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star' })
    else if (char === '?') tokens.push({ kind: 'any' })
    else if (char !== '*') {
      if (char === '\\' && i + 1 < chars.length) char = chars[(i += 1)] ?? ''
      tokens.push({ kind: 'char', char })
    }
  }
  return tokens
}

/** The ends of all matches that begin at `start`, ascending. `starved`: matching failed after the first star. */
function matchEnds(
  chars: readonly string[],
  start: number,
  tokens: readonly Token[],
): { readonly ends: readonly number[]; readonly starved: boolean } {
  let ends = [start]
  let starred = false
  for (const token of tokens) {
    const first = ends[0]
    if (first === undefined) break
    if (token.kind === 'star') {
      starred = true
      ends = Array.from({ length: chars.length - first + 1 }, (_, i) => first + i)
    } else {
      ends = ends
        .filter((end) => end < chars.length && (token.kind === 'any' || chars[end] === token.char))
        .map((end) => end + 1)
    }
  }
  return { ends, starved: starred && ends.length === 0 }
}
