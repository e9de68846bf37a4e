import { invalidArgument } from '../../base/index.ts'

const falseWords: ReadonlySet<string> = new Set(['', '0', 'no', 'false', 'none'])

/** The query of a request, read by Docker's rules. Of a repeated key the first value counts. */
export class Query {
  readonly #parameters: URLSearchParams

  /** Throws `invalidArgument` for a text that is no query, in Go's words. */
  constructor(text: string) {
    checkEscapes(text)
    this.#parameters = new URLSearchParams(text)
  }

  has(name: string): boolean {
    return this.#parameters.has(name)
  }

  /** The value, '' when absent. */
  text(name: string): string {
    return this.#parameters.get(name) ?? ''
  }

  /** The value; undefined when absent or empty. */
  optional(name: string): string | undefined {
    return this.text(name) || undefined
  }

  /** Every value of a repeated key. */
  all(name: string): readonly string[] {
    return this.#parameters.getAll(name)
  }

  /** False for an absent key and for '', '0', 'no', 'false', 'none' in any case; true for all else. */
  flag(name: string): boolean {
    return !falseWords.has(this.text(name).trim().toLowerCase())
  }

  /** The same with another answer for an absent key. */
  flagOr(name: string, fallback: boolean): boolean {
    return this.has(name) ? this.flag(name) : fallback
  }

  /** A whole number, undefined when absent or empty. Anything else: invalidArgument in Go's words. */
  integer(name: string): number | undefined {
    const text = this.text(name)
    if (text === '') return undefined
    return parseInteger(text)
  }
}

/** `URLSearchParams` takes what it can't read as it stands; a request that was meant otherwise must not be served. */
function checkEscapes(text: string): void {
  if (text.includes(';')) throw invalidArgument('invalid semicolon separator in query')
  const [wrong] = /%(?![0-9a-f]{2}).{0,2}/i.exec(text) ?? []
  if (wrong !== undefined) throw invalidArgument(`invalid URL escape ${JSON.stringify(wrong)}`)
}

/** A decimal integer with optional sign; refuses anything else as Go's `strconv.Atoi` does. */
export function parseInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw invalidArgument(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  const value = Number(text)
  if (!Number.isSafeInteger(value)) {
    throw invalidArgument(`strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`)
  }
  return value
}
