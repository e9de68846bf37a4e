/** The verbs of `fmt.Sprintf` for numbers. */
import { type Directive, padded } from './directive.ts'
import { formatFloat, goExponent, infinite } from './go-print.ts'
import { goQuote } from './go-sprintf-strings.ts'
import { GoFloat } from './go-value.ts'

/** The text of a number. Undefined for a verb that numbers do not have. */
export function formatNumber(value: number | bigint | GoFloat, spec: Directive): string | undefined {
  if (value instanceof GoFloat) return formatReal(value.value, spec)
  if (typeof value === 'number' && !Number.isInteger(value)) return formatReal(value, spec)
  return formatInteger(BigInt(value), spec)
}

const radixes: Readonly<Record<string, number>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 }

function formatInteger(value: bigint, spec: Directive): string | undefined {
  const { verb, precision, sharp, zero, width = 0 } = spec
  const radix = radixes[verb]
  if (radix === undefined) return formatCharacter(value, spec)
  if (precision === 0 && value === 0n) return padded('', { ...spec, zero: false })
  const sign = signOf(value < 0n, spec)
  const prefix = prefixOf(verb, sharp)
  let digits = (value < 0n ? -value : value).toString(radix)
  if (verb === 'X') digits = digits.toUpperCase()
  if (precision !== undefined) digits = digits.padStart(precision, '0')
  // Leading zeros fill the width, which includes the sign but not the prefix.
  else if (zero) digits = digits.padStart(width - sign.length, '0')
  if (sharp && verb === 'o' && !digits.startsWith('0')) digits = `0${digits}`
  return padded(sign + prefix + digits, { ...spec, zero: false })
}

function prefixOf(verb: string, sharp: boolean): string {
  if (verb === 'O') return '0o'
  if (!sharp) return ''
  if (verb === 'x' || verb === 'X') return `0${verb}`
  return verb === 'b' ? '0b' : ''
}

function formatCharacter(value: bigint, spec: Directive): string | undefined {
  const { verb, plus, sharp } = spec
  const code = Number(value)
  const isValid = code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
  const char = isValid ? String.fromCodePoint(code) : '\ufffd'
  if (verb === 'c') return padded(char, spec)
  if (verb === 'q') return padded(goQuote(char, { ascii: plus, mark: "'" }), spec)
  if (verb !== 'U') return undefined
  const text = `U+${value.toString(16).toUpperCase().padStart(4, '0')}`
  return padded(sharp && isValid ? `${text} '${char}'` : text, { ...spec, zero: false })
}

function signOf(isNegative: boolean, { plus, space }: Directive): string {
  return isNegative ? '-' : plus ? '+' : space ? ' ' : ''
}

function formatReal(value: number, spec: Directive): string | undefined {
  const { verb, precision, width = 0, zero } = spec
  const size = Math.abs(value)
  const digits = Number.isFinite(value) ? realDigits(size, verb, precision) : infinite(size).replace('+', '')
  if (digits === undefined) return undefined
  // An infinity always has its sign.
  const sign = value === Number.POSITIVE_INFINITY && !spec.space ? '+' : signOf(value < 0 || Object.is(value, -0), spec)
  const isFilled = zero && Number.isFinite(value)
  return padded(sign + (isFilled ? digits.padStart(width - sign.length, '0') : digits), { ...spec, zero: false })
}

function realDigits(size: number, verb: string, precision: number | undefined): string | undefined {
  switch (verb) {
    case 'f':
    case 'F':
      return size.toFixed(Math.min(precision ?? 6, 100))
    case 'e':
    case 'E':
      return upper(verb, exponential(size, precision ?? 6))
    case 'g':
    case 'G':
    case 'v':
      return upper(verb, general(size, precision))
    case 'x':
    case 'X':
    case 'b':
      return binaryDigits(size, verb)
    default:
      return undefined
  }
}

/** `%x` (`0x1.8p+00`) and `%b` (`6755399441055744p-52`): the bits of the number. */
function binaryDigits(size: number, verb: string): string {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, size)
  const bits = view.getBigUint64(0)
  const fraction = bits & ((1n << 52n) - 1n)
  const biased = Number(bits >> 52n)
  const whole = biased === 0 ? 0n : 1n
  const power = biased === 0 ? -1022 : biased - 1023
  if (verb === 'b') return `${(whole << 52n) + fraction}p${power - 52 < 0 ? '-' : '+'}${Math.abs(power - 52)}`
  const digits = fraction.toString(16).padStart(13, '0').replace(/0+$/, '')
  const text = `0x${whole}${digits === '' ? '' : `.${digits}`}p${goExponent(size === 0 ? 0 : power)}`
  return verb === 'X' ? text.toUpperCase() : text
}

function upper(verb: string, text: string): string {
  return verb === 'E' || verb === 'G' ? text.toUpperCase() : text
}

function exponential(size: number, precision: number): string {
  const [mantissa = '', power = '0'] = size.toExponential(Math.min(precision, 100)).split('e')
  return `${mantissa}e${goExponent(Number(power))}`
}

function general(size: number, precision: number | undefined): string {
  if (precision === undefined) return formatFloat(size)
  const significant = Math.max(1, precision)
  const [mantissa = '', exponent = '0'] = size.toExponential(Math.min(significant - 1, 100)).split('e')
  const power = Number(exponent)
  const bare = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa
  const known = bare.replace('.', '').length
  const limit = significant > known && known >= power + 1 ? known : significant
  if (power < -4 || power >= limit) return `${bare}e${goExponent(power)}`
  return size.toFixed(Math.max(0, Math.min(100, known - 1 - power)))
}
