/** Words of Dockerfile instructions, with quotes, backslashes, `$NAME`, `${NAME:-default}`, `${NAME:+other}`.
 *  https://docs.docker.com/reference/dockerfile/#environment-replacement */
import { invalidArgument } from '../../base/index.ts'

/** Values of variables; a missing variable is empty. */
export type Variables = ReadonlyMap<string, string>

/** The text without quotes and with variables replaced. Throws `invalidArgument` for an open quote or brace. */
export function expandWord(text: string, variables: Variables): string {
  return new Expansion(text, variables).run()
}

/** Splits a text at blanks, except inside quotes and after backslashes. The words keep their quotes and backslashes. */
export function splitWords(text: string): string[] {
  return text.match(/(?:[^\s"'\\]|\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"?|'[^']*'?|\\$)+/g) ?? []
}

class Expansion {
  readonly #text: string
  readonly #variables: Variables
  #at = 0

  constructor(text: string, variables: Variables) {
    this.#text = text
    this.#variables = variables
  }

  run(): string {
    let result = ''
    while (this.#at < this.#text.length) result += this.#next()
    return result
  }

  #next(): string {
    const character = this.#text[this.#at] ?? ''
    this.#at += 1
    if (character === "'") return this.#single()
    if (character === '"') return this.#double()
    if (character === '$') return this.#variable()
    // A backslash at the end is literal.
    return character === '\\' ? this.#take() || '\\' : character
  }

  #take(): string {
    const character = this.#text[this.#at] ?? ''
    this.#at += 1
    return character
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at)
    if (end === -1) throw this.#failure('unexpected end of statement while looking for matching single-quote')
    const inside = this.#text.slice(this.#at, end)
    this.#at = end + 1
    return inside
  }

  #double(): string {
    let inside = ''
    for (;;) {
      const character = this.#take()
      if (character === '"') return inside
      if (character === '') throw this.#failure('unexpected end of statement while looking for matching double-quote')
      if (character === '$') inside += this.#variable()
      else if (character !== '\\') inside += character
      else {
        const escaped = this.#take()
        inside += ['"', '$', '\\'].includes(escaped) ? escaped : `\\${escaped}`
      }
    }
  }

  #variable(): string {
    const rest = this.#text.slice(this.#at)
    if (!rest.startsWith('{')) {
      const name = /^([A-Za-z_][A-Za-z0-9_]*|[0-9@*#])/.exec(rest)?.[0]
      if (name === undefined) return '$'
      this.#at += name.length
      return this.#variables.get(name) ?? ''
    }
    const end = closingBrace(rest)
    const [, name, operator, word = ''] =
      /^\{([A-Za-z_][A-Za-z0-9_]*|[0-9@*#])(?::([-+?]))?([\s\S]*)\}$/.exec(rest.slice(0, end + 1)) ?? []
    if (end === -1 || name === undefined) throw this.#failure("syntax error: missing '}'")
    if (operator === undefined && word !== '') throw this.#failure(`unsupported modifier (${word[0]}) in substitution`)
    this.#at += end + 1
    const value = this.#variables.get(name) ?? ''
    if (operator === '-') return value === '' ? expandWord(word, this.#variables) : value
    if (operator === '+') return value === '' ? '' : expandWord(word, this.#variables)
    if (operator === '?' && value === '')
      throw this.#failure(`${name}: ${word === '' ? 'is not allowed to be unset' : word}`)
    return value
  }

  #failure(why: string): Error {
    return invalidArgument(`failed to process ${JSON.stringify(this.#text)}: ${why}`)
  }
}

/** Index of the brace that closes the one at the start of `text`; -1 when there is none. */
function closingBrace(text: string): number {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '{') depth += 1
    else if (text[at] === '}') {
      depth -= 1
      if (depth === 0) return at
    }
  }
  return -1
}
