/** Here-documents: which words of an instruction begin one.
 *  https://docs.docker.com/reference/dockerfile/#here-documents */
import { expandWord } from '../words/expand-word.ts'
import { ExpansionError } from '../words/expansion-error.ts'

/** The word that begins a here-document. */
export interface HeredocStart {
  readonly name: string
  readonly stripTabs: boolean
  readonly expand: boolean
  readonly descriptor: number
  /** Written as `<< EOF`. That can mean other things in a shell, so it counts only if the text has an end. */
  readonly spaced: boolean
}

/** What `<<EOF`, `<<-EOF`, `3<<"EOF"`, `<< EOF` begins; undefined when the text begins none. */
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

/** All here-documents that a line begins, in the order in which their texts follow. */
export function heredocsOf(line: string): readonly HeredocStart[] {
  if (!line.includes('<<')) return []
  const words = wordsOf(line, true)
  return words.flatMap((word, index) => parseHeredocAt(words, index) ?? parseHeredocWord(word) ?? [])
}

/** What `<<` and the word behind it begin. */
export function parseHeredocAt(words: readonly string[], index: number): HeredocStart | undefined {
  const [operator = '', name] = words.slice(index, index + 2)
  return name !== undefined && /^\d*<<-?$/.test(operator) ? parseHeredocWord(`${operator} ${name}`) : undefined
}

/** The text of `<<-`: without the tabs at the start of each line. */
export function stripLeadingTabs(content: string): string {
  return content.replace(/^\t+/gm, '')
}

function wordsOf(text: string, keep: boolean): readonly string[] {
  try {
    const options = { escape: '\\', plainDollars: true, keepQuotes: keep, keepEscapes: keep } as const
    return expandWord(text, () => undefined, options).words
  } catch (error) {
    // A quote that the shell may close in its own way: no words, so no here-document.
    if (error instanceof ExpansionError) return []
    throw error
  }
}
