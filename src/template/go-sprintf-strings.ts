/** The verbs of `fmt.Sprintf` for strings. */
import { type Directive, padded } from './directive.ts'

/** The text of a string. Undefined for a verb that strings do not have. */
export function formatString(value: string, spec: Directive): string | undefined {
  const { verb, precision } = spec
  const cut = precision === undefined ? value : [...value].slice(0, precision).join('')
  if (verb === 's' || verb === 'v') return padded(cut, spec)
  if (verb === 'q') {
    if (spec.sharp && !/[`\u0000-\u0008\u000a-\u001f\u007f\ufeff]/.test(cut)) return padded(`\`${cut}\``, spec)
    return padded(goQuote(cut, { ascii: spec.plus }), spec)
  }
  if (verb === 'x' || verb === 'X') return padded(hexadecimal(value, spec), spec)
  return undefined
}

function hexadecimal(value: string, { verb, precision, sharp, space }: Directive): string {
  const bytes = Buffer.from(value).subarray(0, precision)
  const prefix = sharp ? '0x' : ''
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'))
  const text = space ? digits.map((two) => prefix + two).join(' ') : digits.length === 0 ? '' : prefix + digits.join('')
  return verb === 'X' ? text.toUpperCase() : text
}

const escapes: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
}

/** `strconv.Quote`: printable characters stay, or with `ascii` only ASCII ones. `mark` is the quotation mark. */
export function goQuote(
  text: string,
  { ascii = false, mark = '"' }: { ascii?: boolean; mark?: '"' | "'" } = {},
): string {
  const inner = [...text].map((char) => {
    if (char === mark) return `\\${mark}`
    const known = escapes[char]
    if (known !== undefined) return known
    const code = char.codePointAt(0) ?? 0
    if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`
    if (code < 0x7f || (!ascii && /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char))) return char
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
  return mark + inner.join('') + mark
}
