/** Explains why a text is not JSON, in the words of Go's encoding/json, which Docker's clients know. */

const numberState = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/

/** The message for a text that `JSON.parse` refuses. */
export function jsonSyntaxMessage(text: string): string {
  const scanner = new Scanner(text)
  try {
    scanner.value()
    scanner.space()
    return 'unexpected content after JSON'
  } catch (error) {
    if (error instanceof SyntaxFound) return error.message
    // Nested deeper than the stack allows.
    return 'exceeded max depth'
  }
}

class SyntaxFound extends Error {}

class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at += 1
  }

  value(): void {
    this.space()
    const first = this.#text[this.#at]
    if (first === '{') this.#object()
    else if (first === '[') this.#array()
    else if (first === '"') this.#string()
    else if (first === 't' || first === 'f' || first === 'n') this.#literal(literals[first])
    else if (first === '-' || (first !== undefined && /\d/.test(first))) this.#number()
    else this.#fail('looking for beginning of value')
  }

  #object(): void {
    this.#at += 1
    for (let first = true; ; first = false) {
      this.space()
      if (first && this.#take('}')) return
      if (this.#text[this.#at] !== '"') this.#fail('looking for beginning of object key string')
      this.#string()
      this.space()
      if (!this.#take(':')) this.#fail('after object key')
      this.value()
      this.space()
      if (this.#take('}')) return
      if (!this.#take(',')) this.#fail('after object key:value pair')
    }
  }

  #array(): void {
    this.#at += 1
    this.space()
    if (this.#take(']')) return
    for (;;) {
      this.value()
      this.space()
      if (this.#take(']')) return
      if (!this.#take(',')) this.#fail('after array element')
    }
  }

  #string(): void {
    for (this.#at += 1; ; this.#at += 1) {
      const character = this.#text[this.#at] ?? ''
      if (character === '"') break
      if (character === '\\') this.#escape()
      else if (character < ' ') this.#fail('in string literal')
    }
    this.#at += 1
  }

  #escape(): void {
    this.#at += 1
    const kind = this.#text[this.#at] ?? ''
    if (kind === '' || !'"\\/bfnrtu'.includes(kind)) this.#fail('in string escape code')
    for (let digit = 0; kind === 'u' && digit < 4; digit++) {
      this.#at += 1
      if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? '')) this.#fail('in \\u hexadecimal character escape')
    }
  }

  #literal(word: string): void {
    for (const letter of word) {
      if (this.#text[this.#at] !== letter) this.#fail(`in literal ${word} (expecting '${letter}')`)
      this.#at += 1
    }
  }

  #number(): void {
    const taken = numberState.exec(this.#text.slice(this.#at))?.[0] ?? ''
    this.#at += taken.length
    const next = this.#text[this.#at]
    if (taken === '') {
      this.#at += 1
      this.#fail('in numeric literal')
    }
    if (next === '.' && !taken.includes('.')) {
      this.#at += 1
      this.#fail('after decimal point in numeric literal')
    }
    if ((next === 'e' || next === 'E') && !/[eE]/.test(taken)) {
      this.#at += 1
      if (/[+-]/.test(this.#text[this.#at] ?? '')) this.#at += 1
      this.#fail('in exponent of numeric literal')
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #fail(context: string): never {
    const code = this.#text.codePointAt(this.#at)
    if (code === undefined) throw new SyntaxFound('unexpected EOF')
    throw new SyntaxFound(`invalid character ${quoted(String.fromCodePoint(code))} ${context}`)
  }
}

const literals = { t: 'true', f: 'false', n: 'null' } as const

function quoted(character: string): string {
  if (character === "'") return String.raw`'\''`
  if (character === '"') return `'"'`
  return `'${JSON.stringify(character).slice(1, -1)}'`
}
