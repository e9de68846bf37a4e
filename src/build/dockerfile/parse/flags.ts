/** Parses the flags of an instruction (`--name=value`) by the table of flags that it knows. */
import { parseBoolean } from '../text/check-options.ts'
import type { LogicalLine } from '../text/logical-line.ts'
import { didYouMean } from '../text/suggest.ts'
import type { Word } from '../text/words.ts'
import { ExpansionError } from '../words/expansion-error.ts'

/** `text` may be given once, `list` any number of times, `boolean` with or without a value. */
export type FlagTable = Readonly<Record<string, 'text' | 'list' | 'boolean'>>

/** The checked flags of one instruction. */
export class Flags {
  readonly #values = new Map<string, Word[]>()

  private constructor() {}

  /** Throws `DockerfileError`, placed at the flag, for an unknown or repeated flag and for a missing or invalid
   *  value. */
  static parse(line: LogicalLine, words: readonly Word[], table: FlagTable): Flags {
    const flags = new Flags()
    for (const word of words) {
      const [, name = '', value] = /^--([^=]*)(?:=([\s\S]*))?$/.exec(word.text) ?? []
      const kind = Object.hasOwn(table, name) ? table[name] : undefined
      if (kind === undefined) {
        throw line.error(`unknown flag: --${name}${didYouMean(name, Object.keys(table))}`, word.offset)
      }
      flags.#add(line, { text: value ?? '', offset: word.offset }, name, kind, value !== undefined)
    }
    return flags
  }

  #add(line: LogicalLine, value: Word, name: string, kind: 'text' | 'list' | 'boolean', given: boolean): void {
    const known = this.#values.get(name)
    if (known !== undefined && kind !== 'list') throw line.error(`duplicate flag specified: --${name}`, value.offset)
    if (!given && kind !== 'boolean') throw line.error(`missing a value on flag: --${name}`, value.offset)
    if (kind === 'boolean' && given && parseBoolean(value.text.toLowerCase()) === undefined) {
      throw line.error(`expecting boolean value for flag --${name}, not: ${value.text}`, value.offset)
    }
    this.#values.set(name, [...(known ?? []), kind === 'boolean' && !given ? { ...value, text: 'true' } : value])
  }

  /** The value of a flag. Undefined when it is not given. */
  text(name: string): Word | undefined {
    return this.#values.get(name)?.[0]
  }

  /** All values of a flag, in order. */
  list(name: string): readonly Word[] {
    return this.#values.get(name) ?? []
  }

  /** The value of a boolean flag. Undefined when it is not given. */
  boolean(name: string): boolean | undefined {
    const word = this.text(name)
    return word === undefined ? undefined : parseBoolean(word.text.toLowerCase())
  }
}

/** Runs `work`. Its `ExpansionError`s become errors of `line` at `offset`. */
export function atOffset<T>(line: LogicalLine, offset: number, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof ExpansionError) throw line.error(error.message, offset, error)
    throw error
  }
}
