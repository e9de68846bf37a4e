/** The values of quoted and numeric tokens. https://go.dev/ref/spec#Lexical_elements */
import { invalidArgument } from '../base/index.ts'
import { GoFloat } from './go-value.ts'

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

const escapeSequence = /\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{3}|.)/gs

/** The text of a quoted token. Throws `invalidArgument` (`invalid syntax`). */
export function unquote(text: string): string {
  const inner = text.slice(1, -1)
  if (text.startsWith('`')) return inner.replaceAll('\r', '')
  const other = text.startsWith('"') ? "'" : '"'
  return inner.replace(escapeSequence, (_, code: string) => {
    if (/^[uUx]./.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(1), 16))
    if (/^[0-7]{3}$/.test(code)) return String.fromCharCode(Number.parseInt(code, 8))
    const known = escapes[code]
    if (known === undefined || code === other) throw invalidArgument('invalid syntax')
    return known
  })
}

const integer = /^[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO]?(?:_?[0-7])+|0|[1-9](?:_?\d)*)$/
const real = /^[+-]?(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?$/

/** An integer (a bigint if it needs more than 53 bits) or a float. Undefined for any other text. */
export function parseNumber(text: string): unknown {
  if (integer.test(text)) {
    const digits = text.replaceAll('_', '').replace(/^[+-]/, '')
    const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits.toLowerCase())
    const signed = text.startsWith('-') ? -value : value
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed
  }
  if (real.test(text) && /[.eE]/.test(text)) return new GoFloat(Number(text.replaceAll('_', '')))
  return undefined
}
