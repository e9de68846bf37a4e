/** Splits a Go template into text and tokens. https://pkg.go.dev/text/template */
import { invalidArgument } from '../base/index.ts'

/** One token inside `{{ }}`. `offset` is where it starts in the template. */
export interface Token {
  readonly kind: 'field' | 'variable' | 'identifier' | 'string' | 'number' | 'char' | 'symbol' | 'dot'
  readonly text: string
  readonly offset: number
  /** White space stood before it: `.A.B` is one operand, `.A .B` are two. */
  readonly spaced: boolean
}

/** Literal text, or the tokens of one action. */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly offset: number; readonly end: number }

/** Where in the template: line and column as Go's messages count them. */
export function position(template: string, offset: number): string {
  const before = template.slice(0, offset)
  const line = before.split('\n').length
  return `:${line}:${offset - (before.lastIndexOf('\n') + 1)}`
}

export function parseError(template: string, offset: number, text: string): Error {
  const line = template.slice(0, offset).split('\n').length
  return invalidArgument(`template: :${line}: ${text}`)
}

/** Throws `invalidArgument` with Go's text. */
export function splitTemplate(template: string): TemplatePart[] {
  const parts: TemplatePart[] = []
  let offset = 0
  let trimNext = false
  while (offset < template.length) {
    const start = template.indexOf('{{', offset)
    let text = template.slice(offset, start === -1 ? template.length : start)
    if (trimNext) text = text.trimStart()
    trimNext = false
    if (start === -1) {
      if (text !== '') parts.push({ kind: 'text', text })
      break
    }
    const trimmed = /^-[\s]/.test(template.slice(start + 2, start + 4))
    if (trimmed) text = text.trimEnd()
    if (text !== '') parts.push({ kind: 'text', text })
    const inside = start + 2 + (trimmed ? 1 : 0)
    const action = /^\s*\/\*/.test(template.slice(inside))
      ? skipComment(template, inside)
      : readTokens(template, inside)
    if (action.tokens !== undefined)
      parts.push({ kind: 'action', tokens: action.tokens, offset: start, end: action.next })
    trimNext = action.trim
    offset = action.next
  }
  return parts
}

interface ScannedAction {
  readonly tokens: Token[] | undefined
  readonly next: number
  readonly trim: boolean
}

function skipComment(template: string, start: number): ScannedAction {
  const end = template.indexOf('*/', start)
  if (end === -1) throw parseError(template, start, 'unclosed comment')
  const match = /^(\s+-)?\}\}/.exec(template.slice(end + 2))
  if (match === null) throw parseError(template, start, 'comment ends before closing delimiter')
  return { tokens: undefined, next: end + 2 + match[0].length, trim: match[1] !== undefined }
}

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['string', /"(?:[^"\\\n]|\\.)*"/y],
  ['string', /`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\.)+'/y],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['number', /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y],
  ['identifier', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['dot', /\./y],
  ['symbol', /:=|[()|=,]/y],
]

function readTokens(template: string, start: number): ScannedAction {
  const tokens: Token[] = []
  let offset = start
  for (;;) {
    const space = /\s*/y
    space.lastIndex = offset
    const spaceLength = space.exec(template)?.[0].length ?? 0
    const spaced = spaceLength > 0
    offset += spaceLength
    if (offset >= template.length) throw parseError(template, start, 'unclosed action')
    if (template.startsWith('}}', offset)) return { tokens, next: offset + 2, trim: false }
    if (spaced && template.startsWith('-}}', offset)) return { tokens, next: offset + 3, trim: true }
    const token = readToken(template, offset, spaced || offset === start)
    tokens.push(token)
    offset += token.text.length
  }
}

function readToken(template: string, offset: number, spaced: boolean): Token {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = offset
    const text = pattern.exec(template)?.[0]
    if (text !== undefined && text !== '') return { kind, text, offset, spaced }
  }
  const first = template.charAt(offset)
  if (first === '"') throw parseError(template, offset, 'unterminated quoted string')
  if (first === '`') throw parseError(template, offset, 'unterminated raw quoted string')
  const code = first.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
  throw parseError(template, offset, `unexpected ${`U+${code} '${first}'`} in command`)
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

/** The value of a quoted token. */
export function unquote(text: string): string {
  const inner = text.slice(1, -1)
  if (text.startsWith('`')) return inner
  return inner.replace(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{3}|.)/g, (whole, code: string) => {
    if (/^[uUx]./.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(1), 16))
    if (/^[0-7]{3}$/.test(code)) return String.fromCharCode(Number.parseInt(code, 8))
    return escapes[code] ?? whole
  })
}
