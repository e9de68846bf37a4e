/** Here-documents: which words of an instruction begin one.
 *  https://docs.docker.com/reference/dockerfile/#here-documents */
import { ExpansionError, expandWord } from './expand-word.ts'

export interface HeredocStart {
  readonly name: string
  readonly stripTabs: boolean
  readonly expand: boolean
  readonly descriptor: number
}

/** What `<<EOF`, `<<-EOF`, `3<<"EOF"` begins; undefined when the word begins none. */
export function parseHeredocWord(word: string): HeredocStart | undefined {
  const [, descriptor = '', dash = '', rest = ''] = /^(\d*)<<(-?)([^<]*)$/.exec(word) ?? []
  if (rest === '') return undefined
  const bare = wordsOf(rest, false)
  const quoted = wordsOf(rest, true)
  const [name] = bare
  if (name === undefined || bare.length !== 1) return undefined
  return { name, stripTabs: dash === '-', expand: name === quoted[0], descriptor: Number(descriptor) }
}

/** All here-documents that a line begins, in the order in which their texts follow. */
export function heredocsOf(line: string): readonly HeredocStart[] {
  if (!line.includes('<<')) return []
  return wordsOf(line, true)
    .map(parseHeredocWord)
    .filter((one) => one !== undefined)
}

/** The text of `<<-`: without the tabs at the start of each line. */
export function stripLeadingTabs(content: string): string {
  return content.replace(/^\t+/gm, '')
}

function wordsOf(text: string, keep: boolean): readonly string[] {
  try {
    const options = { escape: '\\', keepUnset: true, keepQuotes: keep, keepEscapes: keep } as const
    return expandWord(text, () => undefined, options).words
  } catch (error) {
    // A quote that the shell may close in its own way: no words, so no here-document.
    if (error instanceof ExpansionError) return []
    throw error
  }
}
