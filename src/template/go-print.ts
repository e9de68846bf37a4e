/** Prints values as Go's fmt package does: `%v` and friends. https://pkg.go.dev/fmt */
import { force, GoStruct, NilCollection, typeName } from './go-value.ts'

/** `%v` of a value inside another; at the top a missing one prints as `<no value>`. */
export function formatGo(value: unknown, verb: '%v' | '%+v' = '%v'): string {
  const known = force(value)
  if (known === null || known === undefined) return '<nil>'
  if (known instanceof NilCollection) return known.kind === 'map' ? 'map[]' : '[]'
  if (Array.isArray(known)) return `[${known.map((item) => formatGo(item, verb)).join(' ')}]`
  if (known instanceof Map) return formatMap(known, verb)
  if (known instanceof GoStruct) return formatStruct(known, verb)
  return String(known)
}

function formatMap(map: ReadonlyMap<string, unknown>, verb: '%v' | '%+v'): string {
  const pairs = sortedKeys(map).map((key) => `${key}:${formatGo(map.get(key), verb)}`)
  return `map[${pairs.join(' ')}]`
}

function formatStruct(struct: GoStruct, verb: '%v' | '%+v'): string {
  const items: string[] = []
  for (const [name, value] of struct.fields) items.push(`${verb === '%+v' ? `${name}:` : ''}${formatGo(value, verb)}`)
  return `{${items.join(' ')}}`
}

/** Keys in the order that Go ranges over a map in templates and prints it. */
export function sortedKeys(map: ReadonlyMap<string, unknown>): string[] {
  return [...map.keys()].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
}

/** JSON as Go writes it: keys of maps in order, no spaces. `escapeHtml` as `json.Marshal` does by default. */
export function goJson(value: unknown, { escapeHtml = false }: { readonly escapeHtml?: boolean } = {}): string {
  const text = writeJson(value)
  return escapeHtml ? escapeHtmlInJson(text) : text
}

/** `<`, `>` and `&` as Go's encoder writes them. */
export function escapeHtmlInJson(text: string): string {
  return text.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function writeJson(value: unknown): string {
  const known = force(value)
  if (known === undefined || known === null || known instanceof NilCollection) return 'null'
  if (typeof known === 'bigint') return String(known)
  if (Array.isArray(known)) return `[${known.map(writeJson).join(',')}]`
  if (known instanceof Map) {
    return `{${sortedKeys(known)
      .map((key) => `${JSON.stringify(key)}:${writeJson(known.get(key))}`)
      .join(',')}}`
  }
  if (known instanceof GoStruct) {
    if (known.json !== undefined) return known.json()
    return `{${[...known.fields].map(([name, item]) => `${JSON.stringify(name)}:${writeJson(item)}`).join(',')}}`
  }
  return JSON.stringify(known)
}

const directive = /%([-+ #0]*)(\d+|\*)?(?:\.(\d+|\*))?([a-zA-Z%])/g

/** `fmt.Sprintf` with the verbs that make sense for JSON values. */
export function goSprintf(format: string, args: readonly unknown[]): string {
  let used = 0
  const text = format.replace(directive, (_, flags: string, width?: string, precision?: string, verb?: string) => {
    if (verb === '%') return '%'
    const minimum = width === '*' ? Number(force(args[used++])) : Number(width ?? 0)
    const digits =
      precision === '*' ? Number(force(args[used++])) : precision === undefined ? undefined : Number(precision)
    if (used >= args.length) return `%!${verb}(MISSING)`
    return pad(formatVerb(verb ?? 'v', force(args[used++]), flags, digits), flags, minimum)
  })
  if (used >= args.length) return text
  const extra = args.slice(used).map((value) => `${typeName(force(value))}=${formatGo(value)}`)
  return `${text}%!(EXTRA ${extra.join(', ')})`
}

function pad(text: string, flags: string, width: number): string {
  const missing = width - [...text].length
  if (missing <= 0) return text
  if (flags.includes('-')) return text + ' '.repeat(missing)
  if (!flags.includes('0')) return ' '.repeat(missing) + text
  return /^[+-]/.test(text) ? text[0] + '0'.repeat(missing) + text.slice(1) : '0'.repeat(missing) + text
}

function formatVerb(verb: string, value: unknown, flags: string, precision: number | undefined): string {
  if (verb === 'v')
    return flags.includes('#') && typeof value === 'string'
      ? JSON.stringify(value)
      : formatGo(value, flags.includes('+') ? '%+v' : '%v')
  if (verb === 'T') return typeName(value)
  if (Array.isArray(value)) return `[${value.map((item) => formatVerb(verb, force(item), flags, precision)).join(' ')}]`
  if (verb === 't' && typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return formatString(verb, value, precision)
  if (typeof value === 'number' || typeof value === 'bigint') return formatNumber(verb, value, flags, precision)
  return badVerb(verb, value)
}

function formatString(verb: string, value: string, precision: number | undefined): string {
  const cut = precision === undefined ? value : [...value].slice(0, precision).join('')
  if (verb === 's') return cut
  if (verb === 'q') return JSON.stringify(cut)
  if (verb === 'x' || verb === 'X') {
    const hex = Buffer.from(cut).toString('hex')
    return verb === 'x' ? hex : hex.toUpperCase()
  }
  return badVerb(verb, value)
}

function formatNumber(verb: string, value: number | bigint, flags: string, precision: number | undefined): string {
  const sign = flags.includes('+') && value >= 0 ? '+' : ''
  const whole = typeof value === 'bigint' || Number.isInteger(value)
  const integer = whole ? formatInteger(verb, value, flags) : undefined
  if (integer !== undefined) return sign + integer
  if (verb === 'f' || verb === 'F') return sign + Number(value).toFixed(precision ?? 6)
  if (verb === 'e') return sign + Number(value).toExponential(precision ?? 6)
  if (verb !== 'g') return badVerb(verb, value)
  return sign + (precision === undefined ? String(value) : String(Number(Number(value).toPrecision(precision))))
}

const radixes: Readonly<Record<string, number>> = { d: 10, b: 2, o: 8, x: 16, X: 16 }

function formatInteger(verb: string, value: number | bigint, flags: string): string | undefined {
  if (verb === 'c' || verb === 'q') return String.fromCodePoint(Number(value))
  const radix = radixes[verb]
  if (radix === undefined) return undefined
  const prefix = flags.includes('#') && radix === 16 ? `0${verb}` : ''
  const digits = value.toString(radix)
  return prefix + (verb === 'X' ? digits.toUpperCase() : digits)
}

function badVerb(verb: string, value: unknown): string {
  if (value === null || value === undefined) return `%!${verb}(<nil>)`
  return `%!${verb}(${typeName(value)}=${formatGo(value)})`
}
