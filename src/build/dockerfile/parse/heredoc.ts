/** Finds the words of an instruction that begin a here-document.
 *  https://docs.docker.com/reference/dockerfile/#here-documents */
import { expandWord } from '../words/expand-word.ts'
import { ExpansionError } from '../words/expansion-error.ts'

/** A word that begins a here-document. */
export interface HeredocStart {
  readonly name: string
  readonly stripTabs: boolean
  readonly expand: boolean
  readonly descriptor: number
  /** Written as `<< EOF`. In a shell that can mean something else, so it only counts if the terminator follows. */
  readonly spaced: boolean
}

/** Parses `<<EOF`, `<<-EOF`, `3<<"EOF"` or `<< EOF`. Undefined when the text begins no here-document. */
export function parseHeredocWord(word: string): HeredocStart | undefined {
  const [, descriptor = '', dash = '', space = '', rest = ''] = /^(\d*)<<(-?)(\s*)([^<]*)$/.exec(word) ?? []
  if (rest === '') return undefined
  const bare = wordsOf(rest, false)
  const quoted = wordsOf(rest, true)
  const [name] = bare
  if (name === undefined || bare.length !== 1) return undefined
  return {
    name,
    stripTabs: dash === '-',
    expand: name === quoted[0],
    descriptor: Number(descriptor),
    spaced: space !== '',
  }
}

/** All here-documents that a line begins, in the order of their texts. */
export function heredocsOf(line: string): readonly HeredocStart[] {
  if (!line.includes('<<')) return []
  const words = wordsOf(line, true)
  return words.flatMap((word, index) => parseHeredocAt(words, index) ?? parseHeredocWord(word) ?? [])
}

/** Parses `<<` and the word after it. */
export function parseHeredocAt(words: readonly string[], index: number): HeredocStart | undefined {
  const [operator = '', name] = words.slice(index, index + 2)
  return name !== undefined && /^\d*<<-?$/.test(operator) ? parseHeredocWord(`${operator} ${name}`) : undefined
}

/** Removes the tabs at the start of each line, as `<<-` does. */
export function stripLeadingTabs(content: string): string {
  return content.replace(/^\t+/gm, '')
}

function wordsOf(text: string, keep: boolean): readonly string[] {
  try {
    const options = { escape: '\\', plainDollars: true, keepQuotes: keep, keepEscapes: keep } as const
    return expandWord(text, () => undefined, options).words
  } catch (error) {
    // The shell may close this quote in its own way. Then there are no words, and so no here-document.
    if (error instanceof ExpansionError) return []
    throw error
  }
}
