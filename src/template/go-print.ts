/** Prints values as Go's fmt package does by default. https://pkg.go.dev/fmt */
import { force, GoDuration, GoFloat, GoStruct, JsonNumber, NilCollection, NilPointer, sortedKeys } from './go-value.ts'

/** The text of a value for `%v` or, with `plus`, for `%+v`, which names the fields of structs. A nil is `<nil>`. */
export function formatGo(value: unknown, plus = false): string {
  const known = force(value)
  if (known === null || known === undefined || known instanceof NilPointer) return '<nil>'
  if (known instanceof NilCollection) return known.kind === 'map' ? 'map[]' : '[]'
  if (Array.isArray(known)) return `[${known.map((item) => formatGo(item, plus)).join(' ')}]`
  if (known instanceof Map) {
    return `map[${sortedKeys(known)
      .map((key) => `${key}:${formatGo(known.get(key), plus)}`)
      .join(' ')}]`
  }
  if (known instanceof GoStruct) {
    const items = [...known.fields].map(([name, item]) => `${plus ? `${name}:` : ''}${formatGo(item, plus)}`)
    return `{${items.join(' ')}}`
  }
  if (known instanceof GoFloat) return formatFloat(known.value)
  if (known instanceof GoDuration) return formatDuration(known.ns)
  if (known instanceof JsonNumber) return known.text
  return typeof known === 'number' && !Number.isInteger(known) ? formatFloat(known) : String(known)
}

/** `fmt.Sprint`: a space between two operands if neither is a string. */
export function goSprint(args: readonly unknown[]): string {
  return args
    .map((arg, index) => {
      const spaced = index > 0 && typeof force(arg) !== 'string' && typeof force(args[index - 1]) !== 'string'
      return `${spaced ? ' ' : ''}${formatGo(arg)}`
    })
    .join('')
}

/** The shortest text of a float, as `%g` prints it. */
export function formatFloat(value: number): string {
  if (!Number.isFinite(value)) return infinite(value)
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return plain(value)
  return `${mantissa}e${goExponent(power)}`
}

/** The text of a duration: `1h0m0s`, `1.5s`, `100ms`. https://pkg.go.dev/time#Duration.String */
export function formatDuration(ns: number): string {
  if (ns === 0) return '0s'
  const size = Math.abs(ns)
  const sign = ns < 0 ? '-' : ''
  if (size < 1e3) return `${sign}${size}ns`
  if (size < 1e6) return `${sign}${size / 1e3}µs`
  if (size < 1e9) return `${sign}${size / 1e6}ms`
  const hours = Math.floor(size / 3600e9)
  const minutes = Math.floor((size % 3600e9) / 60e9)
  const seconds = `${(size % 60e9) / 1e9}s`
  return `${sign}${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}`
}

/** The texts of NaN and the infinities. */
export function infinite(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

/** An exponent: its sign, and at least two digits. */
export function goExponent(power: number): string {
  return `${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/** A float without an exponent. */
function plain(value: number): string {
  const text = String(value)
  return text.includes('e')
    ? value.toFixed(Math.min(100, Number(text.split('e-')[1] ?? 0) + 20)).replace(/0+$/, '')
    : text
}
