/** What the parser of one instruction gets: its arguments behind keyword and flags, and a way to fail at a place. */

import type { Command } from '../instructions/instruction.ts'
import type { EscapeCharacter } from '../text/directives.ts'
import type { DockerfileError } from '../text/dockerfile-error.ts'
import type { LogicalLine } from '../text/logical-line.ts'
import { jsonStrings, leadingFlags, plainWords, quotedWords, type Word } from '../text/words.ts'
import { Flags, type FlagTable } from './flags.ts'

/** One instruction on its way from text to a typed value. */
export class ParseContext {
  readonly line: LogicalLine
  /** As written. */
  readonly keyword: string
  /** In upper case. */
  readonly name: string
  /** Behind the flags, without white space at its ends. */
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

  get base(): { readonly keyword: string; readonly line: LogicalLine } {
    return { keyword: this.keyword, line: this.line }
  }

  /** An error at `offset` of the line; at the first argument when it is not given. */
  error(problem: string, offset = this.argsAt): DockerfileError {
    return this.line.error(problem, offset)
  }

  flags(table: FlagTable = {}): Flags {
    return Flags.parse(this.line, this.#flagWords, table)
  }

  words(): readonly Word[] {
    return this.#placed(plainWords(this.args))
  }

  quotedWords(): readonly Word[] {
    return this.#placed(quotedWords(this.args, this.escaper))
  }

  /** A JSON list of strings, or undefined. Throws for a list with other things in it. */
  json(text = this.args): readonly string[] | undefined {
    const list = jsonStrings(text)
    if (list === 'mixed') throw this.error('when using JSON array syntax, arrays must be comprised of strings only')
    return list
  }

  /** The elements of a JSON list, or the words. */
  jsonOrWords(): readonly Word[] {
    return this.json()?.map((text) => ({ text, offset: this.argsAt })) ?? this.words()
  }

  command(text = this.args): Command {
    const args = this.json(text)
    return args === undefined ? { form: 'shell', text } : { form: 'exec', args }
  }

  /** All arguments as one. Throws when there is none. */
  single(): Word {
    if (this.args === '') throw this.error(`${this.name} requires exactly one argument`, 0)
    return { text: this.args, offset: this.argsAt }
  }

  #placed(words: readonly Word[]): readonly Word[] {
    return words.map(({ text, offset }) => ({ text, offset: offset + this.argsAt }))
  }
}
