/** Splits a Go template into tokens. Delimiters are `{{` and `}}`. https://pkg.go.dev/text/template */
import { invalidArgument } from '../base/index.ts'
import { goQuote } from './go-sprintf-strings.ts'

/** The kinds of tokens. */
export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'field'
  | 'variable'
  | 'identifier'
  | 'bool'
  | 'keyword'
  | 'dot'
  | 'nil'
  | 'string'
  | 'number'
  | 'char'
  | 'symbol'
  | 'error'
  | 'eof'

/** One token of a template. */
export interface Token {
  readonly kind: TokenKind
  readonly text: string
  /** The number of bytes before the token. */
  readonly offset: number
}

const keywords = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with'])
const space = /[ \t\r\n]+/y
const word = /[\p{L}\p{Nd}_]+/uy
const quoted = /"(?:[^"\\\n]|\\[^\n])*"/y
const character = /'(?:[^'\\\n]|\\[^\n])*'/y
const raw = /`[^`]*`/y
const number =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*|0[bB][01_]*|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y

/** All tokens. The last one is `eof` or, at a broken token, `error` with Go's text. */
export function tokenize(template: string): Token[] {
  return new Lexer(template).run()
}

/** A token in the form that messages show. */
export function showToken({ kind, text }: Token): string {
  if (kind === 'eof') return 'EOF'
  if (kind === 'error') return text
  if (kind === 'keyword' || kind === 'dot' || kind === 'nil')
    return kind === 'dot' || kind === 'nil' ? `<${text}>` : `<${text}>`
  return text.length > 10 ? `${goQuote([...text].slice(0, 10).join(''))}...` : goQuote(text)
}

class Lexer {
  readonly #template: string
  readonly #tokens: Token[] = []
  #at = 0
  #depth = 0

  constructor(template: string) {
    this.#template = template
  }

  run(): Token[] {
    while (this.#at < this.#template.length) {
      const start = this.#template.indexOf('{{', this.#at)
      if (start === -1) {
        this.#add('text', this.#template.slice(this.#at))
        break
      }
      const trims = /^-[ \t\r\n]/.test(this.#template.slice(start + 2, start + 4))
      const text = this.#template.slice(this.#at, start)
      const kept = trims ? text.replace(/[ \t\r\n]+$/, '') : text
      if (kept !== '') this.#tokens.push({ kind: 'text', text: kept, offset: this.#at })
      this.#at = start
      if (!this.#action(trims)) return this.#tokens
    }
    this.#tokens.push({ kind: 'eof', text: '', offset: this.#template.length })
    return this.#tokens
  }

  #add(kind: TokenKind, text: string): void {
    this.#tokens.push({ kind, text, offset: this.#at })
    this.#at += text.length
  }

  #fail(text: string): false {
    this.#tokens.push({ kind: 'error', text, offset: this.#at })
    return false
  }

  /** Reads from `{{` to `}}`. */
  #action(trims: boolean): boolean {
    const inside = this.#at + 2 + (trims ? 2 : 0)
    if (this.#template.startsWith('/*', inside)) return this.#comment(inside)
    this.#add('open', '{{')
    this.#at = inside
    this.#depth = 0
    for (;;) {
      const closing = /^(?:[ \t\r\n]-)?\}\}/.exec(this.#template.slice(this.#at, this.#at + 4))
      if (closing !== null) return this.#close(closing[0])
      if (!this.#inside()) return false
    }
  }

  #close(text: string): boolean {
    if (this.#depth > 0) return this.#fail('unclosed left paren')
    this.#tokens.push({ kind: 'close', text: '}}', offset: this.#at })
    this.#at += text.length
    if (text.length > 2) this.#skipSpace()
    return true
  }

  #comment(start: number): boolean {
    const end = this.#template.indexOf('*/', start)
    if (end === -1) return this.#fail('unclosed comment')
    const closing = /^([ \t\r\n]-)?\}\}/.exec(this.#template.slice(end + 2, end + 6))
    if (closing === null) return this.#fail('comment ends before closing delimiter')
    this.#at = end + 2 + closing[0].length
    if (closing[1] !== undefined) this.#skipSpace()
    return true
  }

  #skipSpace(): void {
    this.#at += this.#match(space)?.length ?? 0
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    return pattern.exec(this.#template)?.[0]
  }

  #inside(): boolean {
    const char = this.#template.charAt(this.#at)
    if (char === '') return this.#fail('unclosed action')
    if (' \t\r\n'.includes(char)) return this.#space()
    if (char === ':') {
      if (this.#template.charAt(this.#at + 1) !== '=') return this.#fail('expected :=')
      this.#add('symbol', ':=')
      return true
    }
    if ('=|,'.includes(char)) {
      this.#add('symbol', char)
      return true
    }
    if ('()'.includes(char)) return this.#parenthesis(char)
    if (char === '"') return this.#quote(quoted, 'string', 'unterminated quoted string')
    if (char === '`') return this.#quote(raw, 'string', 'unterminated raw quoted string')
    if (char === "'") return this.#quote(character, 'char', 'unterminated character constant')
    if (char === '$') return this.#name('variable')
    if (char === '.' && !/[0-9]/.test(this.#template.charAt(this.#at + 1))) return this.#field()
    if (/[+\-0-9.]/.test(char)) return this.#number()
    if (/[\p{L}_]/u.test(char)) return this.#identifier()
    if (char >= ' ' && char < '\x7f') {
      this.#add('symbol', char)
      return true
    }
    return this.#fail(`unrecognized character in action: ${showCharacter(this.#template, this.#at)}`)
  }

  #space(): boolean {
    const text = this.#match(space) ?? ''
    // In `{{x -}}`, the space belongs to the trim mark.
    const marked = this.#template.startsWith('-}}', this.#at + text.length)
    if (marked && text.length === 1) return true
    this.#add('space', marked ? text.slice(0, -1) : text)
    return true
  }

  #parenthesis(char: string): boolean {
    this.#depth += char === '(' ? 1 : -1
    if (this.#depth < 0) return this.#fail('unexpected right paren')
    this.#add('symbol', char)
    return true
  }

  #quote(pattern: RegExp, kind: TokenKind, unterminated: string): boolean {
    const text = this.#match(pattern)
    if (text === undefined) return this.#fail(unterminated)
    this.#add(kind, text)
    return true
  }

  #field(): boolean {
    const next = this.#template.charAt(this.#at + 1)
    if (/[\p{L}\p{Nd}_]/u.test(next)) return this.#name('field')
    this.#add('dot', '.')
    return true
  }

  /** Reads `.name` or `$name`. */
  #name(kind: 'field' | 'variable'): boolean {
    const first = this.#template.charAt(this.#at)
    this.#at++
    const text = first + (this.#match(word) ?? '')
    this.#at--
    return this.#terminated(kind, text)
  }

  #identifier(): boolean {
    const text = this.#match(word) ?? ''
    if (keywords.has(text)) return this.#terminated('keyword', text)
    if (text === 'true' || text === 'false') return this.#terminated('bool', text)
    return this.#terminated(text === 'nil' ? 'nil' : 'identifier', text)
  }

  /** Checks the end of a name: a space, a sign or the delimiter must follow. */
  #terminated(kind: TokenKind, text: string): boolean {
    const after = this.#template.charAt(this.#at + text.length)
    const ends =
      after === '' || ' \t\r\n.,|:)('.includes(after) || this.#template.startsWith('}}', this.#at + text.length)
    if (!ends) {
      this.#at += text.length
      return this.#fail(`bad character ${showCharacter(this.#template, this.#at)}`)
    }
    this.#add(kind, text)
    return true
  }

  #number(): boolean {
    const text = this.#match(number) ?? ''
    const after = this.#template.charAt(this.#at + text.length)
    if (/[\p{L}\p{Nd}_]/u.test(after)) return this.#fail(`bad number syntax: ${goQuote(text + after)}`)
    this.#add('number', text)
    return true
  }
}

/** A character as `%#U` prints it: `U+0026 '&'`. */
function showCharacter(text: string, at: number): string {
  const code = text.codePointAt(at)
  if (code === undefined) throw invalidArgument('the template has ended')
  const hex = code.toString(16).toUpperCase().padStart(4, '0')
  return code < 0x20 || code === 0x7f ? `U+${hex}` : `U+${hex} '${String.fromCodePoint(code)}'`
}
