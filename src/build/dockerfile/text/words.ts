/** Splits the arguments of an instruction: words, `key=value` words with quotes, JSON lists, leading flags. Every word
 *  knows its place. */
import type { EscapeCharacter } from './directives.ts'

/** A piece of an instruction and its place. */
export interface Word {
  readonly text: string
  /** Offset in the text that was split. */
  readonly offset: number
}

/** Words separated by white space. Quotes have no meaning. */
export function plainWords(text: string): readonly Word[] {
  return [...text.matchAll(/\S+/g)].map((match) => ({ text: match[0], offset: match.index }))
}

const quotedWordPatterns: Readonly<Record<EscapeCharacter, RegExp>> = {
  '\\': quotedWordPattern(String.raw`\\`),
  '`': quotedWordPattern('`'),
}

/** Words separated by white space that is neither quoted nor escaped. The words keep their quotes and escape
 *  characters. */
export function quotedWords(text: string, escaper: EscapeCharacter): readonly Word[] {
  return [...text.matchAll(quotedWordPatterns[escaper])].map((match) => ({ text: match[0], offset: match.index }))
}

/** A quote that is not closed extends to the end. */
function quotedWordPattern(esc: string): RegExp {
  const escaped = `${esc}[\\s\\S]|${esc}$`
  const within = (quote: string) => `${quote}(?:${escaped}|[^${quote}${esc}])*(?:${quote}|$)`
  return new RegExp(`(?:${escaped}|${within('"')}|${within("'")}|[^\\s"'${esc}])+`, 'g')
}

/** The strings of a JSON list. Undefined when the text is not a JSON list, which makes it the shell form. `'mixed'` for
 *  a list with other values, which Docker refuses. */
export function jsonStrings(text: string): readonly string[] | 'mixed' | undefined {
  if (!text.startsWith('[')) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined // Not JSON, so a command or a name that begins with a bracket.
  }
  if (!Array.isArray(value)) return undefined
  return value.every((one) => typeof one === 'string') ? value : 'mixed'
}

/** The leading words that begin with `--`, with quotes and backslashes resolved, and the offset of the rest. A lone
 *  `--` ends the flags and belongs to the rest. */
export function leadingFlags(text: string): { readonly flags: readonly Word[]; readonly restAt: number } {
  const flags: Word[] = []
  let at = 0
  for (;;) {
    at += /^\s*/.exec(text.slice(at))?.[0].length ?? 0
    if (!text.startsWith('--', at) || /^--(?:\s|$)/.test(text.slice(at, at + 3))) return { flags, restAt: at }
    const end = flagEnd(text, at)
    flags.push({ text: end.text, offset: at })
    at = end.at
  }
}

function flagEnd(text: string, start: number): { readonly text: string; readonly at: number } {
  let word = ''
  let quote = ''
  let at = start
  for (; at < text.length; at += 1) {
    let char = text[at] ?? ''
    if (quote === '' && /\s/.test(char)) break
    if (char === quote) {
      quote = ''
      continue
    }
    if (quote === '' && (char === '"' || char === "'")) {
      quote = char
      continue
    }
    if (char === '\\') {
      if (at + 1 === text.length) continue
      at += 1
      char = text[at] ?? ''
    }
    word += char
  }
  return { text: word, at }
}
