/** `fmt.Sprintf`: all verbs and flags, and its texts for errors in a format. https://pkg.go.dev/fmt */
import { invalidArgument } from '../base/index.ts'
import { type Directive, padded } from './directive.ts'
import { formatDuration, formatGo } from './go-print.ts'
import { formatNumber } from './go-sprintf-numbers.ts'
import { formatString } from './go-sprintf-strings.ts'
import {
  force,
  GoDuration,
  GoFloat,
  GoStruct,
  JsonNumber,
  NilCollection,
  NilPointer,
  sortedKeys,
  typeName,
} from './go-value.ts'

const directive = /%([-+ #0]*)(\[[^\]]*\])?(\d+|\*)?(?:(\.)(\[[^\]]*\])?(\d+|\*)?)?(\[[^\]]*\])?(.?)/gsu

/** Formats the arguments. Never throws: as in Go, errors in a format appear in the text. */
export function goSprintf(format: string, args: readonly unknown[]): string {
  const reader = new ArgumentReader(args)
  const text = format.replace(directive, (_, flags: string, ...parts: (string | undefined)[]) => {
    const [index1, width, dot, index2, precision, index3, verb = ''] = parts
    return formatDirective(reader, flags, { index1, width, dot, index2, precision, index3, verb })
  })
  return text + reader.rest()
}

interface Parts {
  readonly index1: string | undefined
  readonly width: string | undefined
  readonly dot: string | undefined
  readonly index2: string | undefined
  readonly precision: string | undefined
  readonly index3: string | undefined
  readonly verb: string
}

function formatDirective(reader: ArgumentReader, flags: string, parts: Parts): string {
  let notes = ''
  let left = flags.includes('-')
  reader.isBad = false
  reader.select(parts.index1)
  let width = parts.width === undefined ? undefined : parts.width === '*' ? reader.integer() : Number(parts.width)
  if (parts.width === '*' && width === undefined) notes += '%!(BADWIDTH)'
  if (width !== undefined && width < 0) {
    left = true
    width = -width
  }
  reader.select(parts.index2)
  let precision =
    parts.dot === undefined ? undefined : parts.precision === '*' ? reader.integer() : Number(parts.precision ?? 0)
  if (parts.precision === '*' && (precision === undefined || precision < 0)) {
    notes += '%!(BADPREC)'
    precision = undefined
  }
  reader.select(parts.index3)
  const { verb } = parts
  if (verb === '') return `${notes}%!(NOVERB)`
  if (verb === '%') return `${notes}%`
  if (reader.isBad) return `${notes}%!${verb}(BADINDEX)`
  if (reader.isAtEnd) return `${notes}%!${verb}(MISSING)`
  const spec: Directive = {
    verb,
    width,
    precision,
    left,
    plus: flags.includes('+'),
    sharp: flags.includes('#'),
    space: flags.includes(' '),
    zero: flags.includes('0') && !left,
  }
  return notes + formatValue(reader.next(), spec)
}

/** Gives the arguments in order, or from the position `[n]` on. */
class ArgumentReader {
  readonly #args: readonly unknown[]
  #next = 0
  #reordered = false
  isBad = false

  constructor(args: readonly unknown[]) {
    this.#args = args
  }

  get isAtEnd(): boolean {
    return this.#next >= this.#args.length
  }

  select(index: string | undefined): void {
    if (index === undefined) return
    this.#reordered = true
    const wanted = /^\[(\d+)\]$/.exec(index)?.[1]
    const position = Number(wanted ?? 0) - 1
    if (wanted === undefined || position < 0 || position >= this.#args.length) this.isBad = true
    else this.#next = position
  }

  next(): unknown {
    return this.#args[this.#next++]
  }

  integer(): number | undefined {
    const value = force(this.#args[this.#next++])
    return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 1e6 ? value : undefined
  }

  /** The text about arguments that the format did not use. */
  rest(): string {
    if (this.#reordered || this.isAtEnd) return ''
    const extra = this.#args.slice(this.#next).map((value) => {
      const known = force(value)
      return known === undefined || known === null ? '<nil>' : `${typeName(known)}=${formatGo(known)}`
    })
    return `%!(EXTRA ${extra.join(', ')})`
  }
}

function formatValue(value: unknown, spec: Directive): string {
  const known = force(value)
  const { verb } = spec
  if (known === undefined || known === null) {
    if (verb === 'T' || verb === 'v') return padded('<nil>', spec)
    return `%!${verb}(<nil>)`
  }
  if (verb === 'T') return padded(typeName(known), { ...spec, precision: undefined })
  if (verb === 'p') return badVerb(known, spec)
  if (verb === 'v' && spec.sharp) return goSyntax(known)
  return formatKind(known, spec)
}

/** Formats a value by its kind. A verb applies to each element of slices, maps and structs. */
function formatKind(known: unknown, spec: Directive): string {
  const { verb } = spec
  if (Array.isArray(known)) return `[${known.map((item) => formatItem(item, spec)).join(' ')}]`
  if (known instanceof Map) {
    return `map[${sortedKeys(known)
      .map((key) => `${formatItem(key, spec)}:${formatItem(known.get(key), spec)}`)
      .join(' ')}]`
  }
  if (known instanceof GoStruct) {
    const named = verb === 'v' && spec.plus
    const items = [...known.fields].map(([name, item]) => `${named ? `${name}:` : ''}${formatItem(item, spec)}`)
    return `{${items.join(' ')}}`
  }
  return formatPlain(known instanceof GoDuration ? spanFor(known, spec) : known, spec)
}

/** A duration is a word for `%v`, `%s` and `%q`, otherwise a number. */
function spanFor({ ns }: GoDuration, { verb }: Directive): string | number {
  return verb === 'v' || verb === 's' || verb === 'q' ? formatDuration(ns) : ns
}

function formatPlain(known: unknown, spec: Directive): string {
  const { verb } = spec
  if (known instanceof NilCollection) return known.kind === 'map' ? 'map[]' : '[]'
  if (known instanceof NilPointer) return verb === 'v' ? padded('<nil>', spec) : `%!${verb}(${known.typeName}=<nil>)`
  if (typeof known === 'boolean')
    return verb === 't' || verb === 'v' ? padded(String(known), spec) : badVerb(known, spec)
  if (typeof known === 'string' || known instanceof JsonNumber) {
    return formatString(known instanceof JsonNumber ? known.text : known, spec) ?? badVerb(known, spec)
  }
  if (typeof known === 'number' || typeof known === 'bigint' || known instanceof GoFloat) {
    return formatNumber(known, spec) ?? badVerb(known, spec)
  }
  throw invalidArgument(`a value of an unknown kind: ${String(known)}`)
}

function formatItem(value: unknown, spec: Directive): string {
  const known = force(value)
  if (known === undefined || known === null) return padded('<nil>', spec)
  return formatKind(known, spec)
}

function badVerb(value: unknown, spec: Directive): string {
  return `%!${spec.verb}(${typeName(value)}=${formatKind(value, { ...spec, verb: 'v', sharp: false })})`
}

/** `%#v`: the value in Go's syntax. */
function goSyntax(value: unknown): string {
  const known = force(value)
  if (known === undefined || known === null) return 'interface {}(nil)'
  if (typeof known === 'string') return JSON.stringify(known)
  if (known instanceof JsonNumber) return JSON.stringify(known.text)
  if (known instanceof NilCollection) return `${typeName(known)}(nil)`
  if (known instanceof NilPointer) return `(${known.typeName})(nil)`
  if (Array.isArray(known)) return `${typeName(known)}{${known.map(goSyntax).join(', ')}}`
  if (known instanceof Map) {
    const pairs = sortedKeys(known).map((key) => `${JSON.stringify(key)}:${goSyntax(known.get(key))}`)
    return `${typeName(known)}{${pairs.join(', ')}}`
  }
  if (known instanceof GoStruct) {
    return `${known.typeName}{${[...known.fields].map(([name, item]) => `${name}:${goSyntax(item)}`).join(', ')}}`
  }
  return formatGo(known)
}
