/** What the parser of an instruction works with: the arguments after the keyword and flags, and a way to report errors
 *  at a place. */

import type { Command } from '../instructions/instruction.ts'
import type { EscapeCharacter } from '../text/directives.ts'
import type { DockerfileError } from '../text/dockerfile-error.ts'
import type { LogicalLine } from '../text/logical-line.ts'
import { jsonStrings, leadingFlags, plainWords, quotedWords, type Word } from '../text/words.ts'
import { Flags, type FlagTable } from './flags.ts'

/** An instruction being parsed. */
export class ParseContext {
  readonly line: LogicalLine
  /** The keyword as written. */
  readonly keyword: string
  /** The keyword in upper case. */
  readonly name: string
  /** The text after the flags, without white space at its ends. */
  readonly args: string
  readonly argsAt: number
  readonly escaper: EscapeCharacter
  readonly #flagWords: readonly Word[]

  constructor(line: LogicalLine, escaper: EscapeCharacter) {
    const [whole = '', keyword = ''] = /^(\S+)\s*/.exec(line.text) ?? []
    const rest = line.text.slice(whole.length)
    const { flags, restAt } = leadingFlags(rest)
    this.line = line
    this.escaper = escaper
    this.keyword = keyword
    this.name = keyword.toUpperCase()
    this.args = rest.slice(restAt).trim()
    this.argsAt = whole.length + restAt
    this.#flagWords = flags.map((word) => ({ text: word.text, offset: word.offset + whole.length }))
  }

  /** The fields that all instructions have. */
  get base(): { readonly keyword: string; readonly line: LogicalLine } {
    return { keyword: this.keyword, line: this.line }
  }

  /** Makes an error at `offset` of the line. Default: at the first argument. */
  error(problem: string, offset = this.argsAt): DockerfileError {
    return this.line.error(problem, offset)
  }

  /** Parses the flags. Throws `DockerfileError` for flags that the table does not have. */
  flags(table: FlagTable = {}): Flags {
    return Flags.parse(this.line, this.#flagWords, table)
  }

  /** The arguments, split at white space. */
  words(): readonly Word[] {
    return this.#placed(plainWords(this.args))
  }

  /** The arguments, split at white space that is neither quoted nor escaped. */
  quotedWords(): readonly Word[] {
    return this.#placed(quotedWords(this.args, this.escaper))
  }

  /** Parses a JSON list of strings. Undefined when the text is not a JSON list. Throws when the list contains anything
   *  else. */
  json(text = this.args): readonly string[] | undefined {
    const list = jsonStrings(text)
    if (list === 'mixed') throw this.error('when using JSON array syntax, arrays must be comprised of strings only')
    return list
  }

  /** The elements of a JSON list, or the words. */
  jsonOrWords(): readonly Word[] {
    return this.json()?.map((text) => ({ text, offset: this.argsAt })) ?? this.words()
  }

  /** A command in exec form if the text is a JSON list, else in shell form. */
  command(text = this.args): Command {
    const args = this.json(text)
    return args === undefined ? { form: 'shell', text } : { form: 'exec', args }
  }

  /** All arguments as one word. Throws when there are none. */
  single(): Word {
    if (this.args === '') throw this.error(`${this.name} requires exactly one argument`, 0)
    return { text: this.args, offset: this.argsAt }
  }

  #placed(words: readonly Word[]): readonly Word[] {
    return words.map(({ text, offset }) => ({ text, offset: offset + this.argsAt }))
  }
}
