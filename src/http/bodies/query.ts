import { invalidArgument } from '../../base/index.ts'

const falseWords: ReadonlySet<string> = new Set(['', '0', 'no', 'false', 'none'])

/** The query of a request, read by Docker's rules. If a key is repeated, its first value counts. */
export class Query {
  readonly #parameters: URLSearchParams

  /** Throws `invalidArgument`, in Go's words, for a text that is not a query. */
  constructor(text: string) {
    checkEscapes(text)
    this.#parameters = new URLSearchParams(text)
  }

  /** True when the key is present, even without a value. */
  has(name: string): boolean {
    return this.#parameters.has(name)
  }

  /** The value; '' when the key is absent. */
  text(name: string): string {
    return this.#parameters.get(name) ?? ''
  }

  /** The value; undefined when the key is absent or its value empty. */
  optional(name: string): string | undefined {
    return this.text(name) || undefined
  }

  /** All values of a key, in order. */
  all(name: string): readonly string[] {
    return this.#parameters.getAll(name)
  }

  /** False when the key is absent, or is '', '0', 'no', 'false' or 'none' in any case; otherwise true. */
  flag(name: string): boolean {
    return !falseWords.has(this.text(name).trim().toLowerCase())
  }

  /** Like `flag`, but gives `fallback` when the key is absent. */
  flagOr(name: string, fallback: boolean): boolean {
    return this.has(name) ? this.flag(name) : fallback
  }

  /** A whole number; undefined when absent or empty. Throws `invalidArgument`, in Go's words, for anything else. */
  integer(name: string): number | undefined {
    const text = this.text(name)
    if (text === '') return undefined
    return parseInteger(text)
  }
}

/** Refuses broken escapes. `URLSearchParams` would keep them unchanged, and the request would mean something else. */
function checkEscapes(text: string): void {
  if (text.includes(';')) throw invalidArgument('invalid semicolon separator in query')
  const [wrong] = /%(?![0-9a-f]{2}).{0,2}/i.exec(text) ?? []
  if (wrong !== undefined) throw invalidArgument(`invalid URL escape ${JSON.stringify(wrong)}`)
}

/** Parses a decimal integer with an optional sign. Throws `invalidArgument` in the words of Go's `strconv.Atoi`. */
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
