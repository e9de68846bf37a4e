/** Expands words as the Dockerfile reference describes it: `$x`, `${x}` with modifiers, quotes, escapes. Throws
 *  `ExpansionError`s without a place; the caller adds it.
 *  https://docs.docker.com/reference/dockerfile/#environment-replacement */
import type { EscapeCharacter } from '../text/directives.ts'
import { ExpansionError } from './expansion-error.ts'
import { ExpansionOutput } from './expansion-output.ts'
import { replacePattern, trimPrefix, trimSuffix } from './value-pattern.ts'

/** How special characters are treated. */
export interface ExpandOptions {
  readonly escape: EscapeCharacter
  /** Quotes stay and have no meaning, as in the text of a here-document. */
  readonly plainQuotes?: boolean
  /** Quotes stay but have their meaning, for looking at words without changing them. */
  readonly keepQuotes?: boolean
  /** Escape characters stay before the characters they escape. */
  readonly keepEscapes?: boolean
  /** Dollar signs have no meaning. */
  readonly plainDollars?: boolean
}

/** An expanded word, and the variables that it used. */
export interface Expansion {
  /** The result as one word. */
  readonly text: string
  /** The result split at white space that is neither quoted nor escaped. White space from variables counts too. */
  readonly words: readonly string[]
  /** Names that were looked up and had a value. */
  readonly used: ReadonlySet<string>
  /** Names that were looked up and had no value, except those with a default (`${x:-y}`). */
  readonly undefinedNames: ReadonlySet<string>
  /** All names that were looked up: the result depends on them. */
  readonly lookedUp: ReadonlySet<string>
}

/** Gives a variable's value, or undefined when it is not set. */
export type Lookup = (name: string) => string | undefined

/** Expands one word. Throws `ExpansionError`. */
export function expandWord(word: string, lookup: Lookup, options: ExpandOptions): Expansion {
  const expander = new Expander(word, lookup, options)
  const output = expander.until(undefined, options.keepEscapes === true)
  return {
    text: output.text,
    words: output.finish(),
    used: expander.used,
    undefinedNames: expander.undefinedNames,
    lookedUp: expander.lookedUp,
  }
}

const maxDepth = 100
const plainCharacters = /[^'"$\\`}/]+/y

class Expander {
  readonly used = new Set<string>()
  readonly undefinedNames = new Set<string>()
  readonly lookedUp = new Set<string>()
  readonly #word: string
  readonly #lookup: Lookup
  readonly #options: ExpandOptions
  #at = 0
  #depth = 0

  constructor(word: string, lookup: Lookup, options: ExpandOptions) {
    this.#word = word
    this.#lookup = lookup
    this.#options = options
  }

  /** Reads up to `stop`, which is consumed, or to the end without it. */
  until(stop: string | undefined, keepEscapes: boolean): ExpansionOutput {
    this.#depth += 1
    if (this.#depth > maxDepth) throw new ExpansionError('too many nested substitutions')
    const output = new ExpansionOutput()
    for (;;) {
      const char = this.#next()
      if (char === stop) break
      if (char === undefined) {
        throw new ExpansionError(`unexpected end of statement while looking for matching ${stop}`)
      }
      this.#step(char, output, keepEscapes)
    }
    this.#depth -= 1
    return output
  }

  #step(char: string, output: ExpansionOutput, keepEscapes: boolean): void {
    const quotes = this.#options.plainQuotes !== true
    if (quotes && char === "'") this.#singleQuoted(output)
    else if (quotes && char === '"') this.#doubleQuoted(output)
    else if (char === '$' && this.#options.plainDollars !== true) output.loose(this.#dollar())
    else if (char === this.#options.escape) {
      const next = this.#next()
      // An escape character at the very end is dropped.
      output.solid((keepEscapes ? char : '') + (next ?? ''))
    } else output.loose(char + this.#plainRun())
  }

  /** All characters up to the next one that may be special. */
  #plainRun(): string {
    plainCharacters.lastIndex = this.#at
    const [run = ''] = plainCharacters.exec(this.#word) ?? []
    this.#at += run.length
    return run
  }

  #singleQuoted(output: ExpansionOutput): void {
    const end = this.#word.indexOf("'", this.#at)
    if (end === -1) {
      throw new ExpansionError('unexpected end of statement while looking for matching single-quote')
    }
    const text = this.#word.slice(this.#at, end)
    this.#at = end + 1
    output.solid(this.#options.keepQuotes === true ? `'${text}'` : text)
  }

  #doubleQuoted(output: ExpansionOutput): void {
    const quote = this.#options.keepQuotes === true ? '"' : ''
    output.solid(quote)
    for (;;) {
      const char = this.#next()
      if (char === '"') break
      if (char === undefined) {
        throw new ExpansionError('unexpected end of statement while looking for matching double-quote')
      }
      if (char === '$' && this.#options.plainDollars !== true) output.solid(this.#dollar())
      else if (char === this.#options.escape) output.solid(this.#escapedInQuotes(char))
      else output.solid(char)
    }
    output.solid(quote)
  }

  /** Inside double quotes, only the quote, the dollar sign and the escape character can be escaped. */
  #escapedInQuotes(escaper: string): string {
    const next = this.#next()
    if (next === undefined) {
      throw new ExpansionError('unexpected end of statement while looking for matching double-quote')
    }
    const special = next === '"' || next === '$' || next === escaper
    return special && this.#options.keepEscapes !== true ? next : escaper + next
  }

  #dollar(): string {
    if (this.#peek() !== '{') {
      const name = this.#name()
      return name === '' ? '$' : this.#plain(name)
    }
    this.#at += 1
    const first = this.#peek()
    if (first === undefined) throw new ExpansionError("syntax error: missing '}'")
    if (first === '{' || first === '}' || first === ':') throw new ExpansionError('syntax error: bad substitution')
    const name = this.#name()
    const modifier = this.#next()
    if (modifier === undefined) throw new ExpansionError("syntax error: missing '}'")
    if (modifier === '}') return this.#plain(name)
    return this.#modified(name, modifier)
  }

  #modified(name: string, modifier: string): string {
    if (modifier === '/') return this.#replaced(name)
    let kind = modifier
    let emptyIsUnset = false
    if (modifier === ':') {
      emptyIsUnset = true
      kind = this.#next() ?? ''
    }
    const written = emptyIsUnset ? `:${kind}` : kind
    const conditional = kind === '-' || kind === '+' || kind === '?'
    const trimming = !emptyIsUnset && (kind === '#' || kind === '%')
    if (kind === '' || (!conditional && !trimming)) {
      throw new ExpansionError(`unsupported modifier (${written}) in substitution`)
    }
    const word = this.#operand('}', trimming)
    const value = this.#value(name)
    if (trimming) {
      if (value === undefined) this.undefinedNames.add(name)
      return trimmed(value ?? '', kind, word)
    }
    return conditionalValue(name, value, emptyIsUnset, kind, word)
  }

  #replaced(name: string): string {
    const all = this.#peek() === '/'
    if (all) this.#at += 1
    const pattern = this.#operand('/', true)
    const replacement = this.#operand('}', false)
    const value = this.#value(name)
    if (value === undefined) this.undefinedNames.add(name)
    return replacePattern(value ?? '', pattern, replacement, all)
  }

  #operand(stop: string, keepEscapes: boolean): string {
    try {
      return this.until(stop, keepEscapes).text
    } catch (error) {
      if (error instanceof ExpansionError && this.#peek() === undefined && !error.message.startsWith('syntax error')) {
        throw new ExpansionError(stop === '/' ? "syntax error: missing '/' in ${" : "syntax error: missing '}'")
      }
      throw error
    }
  }

  #plain(name: string): string {
    const value = this.#value(name)
    if (value === undefined) this.undefinedNames.add(name)
    return value ?? ''
  }

  #value(name: string): string | undefined {
    const value = this.#lookup(name)
    this.lookedUp.add(name)
    if (value !== undefined) this.used.add(name)
    return value
  }

  /** A name, a number, or one of the shell's special parameters. */
  #name(): string {
    const rest = this.#word.slice(this.#at, this.#at + 256)
    let [name = ''] = /^(?:[@*#?\-$!0]|\d+|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(rest) ?? []
    if (name.length === 256) [name = ''] = /^[\p{L}\p{Nd}_]*/u.exec(this.#word.slice(this.#at)) ?? []
    this.#at += name.length
    return name
  }

  #peek(): string | undefined {
    return this.#word[this.#at]
  }

  #next(): string | undefined {
    const char = this.#word[this.#at]
    if (char !== undefined) this.#at += 1
    return char
  }
}

function trimmed(value: string, kind: string, word: string): string {
  const longest = word.startsWith(kind)
  const pattern = longest ? word.slice(1) : word
  return kind === '#' ? trimPrefix(value, pattern, longest) : trimSuffix(value, pattern, longest)
}

function conditionalValue(
  name: string,
  value: string | undefined,
  emptyIsUnset: boolean,
  kind: string,
  word: string,
): string {
  const missing = value === undefined || (emptyIsUnset && value === '')
  if (kind === '-') return missing ? word : value
  if (kind === '+') return missing ? '' : word
  if (!missing) return value
  const state = value === undefined ? 'unset' : 'empty'
  throw new ExpansionError(`${name}: ${word === '' ? `is not allowed to be ${state}` : word}`)
}
