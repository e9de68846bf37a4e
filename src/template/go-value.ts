/** Values as Go templates see them. JSON's own kinds stand for themselves; what Go tells apart beyond them has a class
 *  here, because it decides how values print, compare and fail. https://pkg.go.dev/text/template
 *
 *  string, boolean, number, bigint: as they are (whole numbers are ints, others float64)
 *  array, Map: slices and maps; `withType` says which, else they hold anything
 *  undefined: no value at all; null: an untyped nil */

/** An object with a fixed set of fields, or with methods: what a row of a table offers to a template. */
export class GoStruct {
  /** As Go's messages name the type. */
  readonly typeName: string
  /** In order of declaration. */
  readonly fields: ReadonlyMap<string, unknown>
  /** Called with the arguments that the template gives. */
  readonly methods: Readonly<Record<string, (...args: readonly string[]) => unknown>>
  /** Other names of fields (`ID` for JSON's `Id`), and fields that JSON left out because they are nil. */
  readonly lookup: ((name: string) => { readonly value: unknown } | undefined) | undefined

  /** How it encodes itself, where that is not field by field. */
  readonly json: (() => string) | undefined

  constructor(
    typeName: string,
    fields: ReadonlyMap<string, unknown>,
    options: {
      readonly json?: GoStruct['json']
      readonly methods?: GoStruct['methods']
      readonly lookup?: GoStruct['lookup']
    } = {},
  ) {
    this.typeName = typeName
    this.fields = fields
    this.methods = options.methods ?? {}
    this.lookup = options.lookup
    this.json = options.json
  }
}

/** A nil slice or map: prints as an empty one, is null in JSON. */
export class NilCollection {
  readonly kind: 'slice' | 'map'

  constructor(kind: 'slice' | 'map') {
    this.kind = kind
  }
}

/** A nil pointer to a struct. */
export class NilPointer {
  readonly typeName: string

  constructor(typeName: string) {
    this.typeName = typeName
  }
}

/** A floating point number, also where its value is whole. */
export class GoFloat {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

/** A time span, which prints as `1h0m0s`. */
export class GoDuration {
  readonly ns: number

  constructor(ns: number) {
    this.ns = ns
  }
}

/** A number of JSON that was kept as its text: a kind of string. */
export class JsonNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A value inside a map or slice of anything: Go names its type `interface {}` until it is used. */
export class Boxed {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

/** A field whose value is computed on use. */
export class LazyValue {
  readonly compute: () => unknown

  constructor(compute: () => unknown) {
    this.compute = compute
  }
}

/** The value itself: computed, out of its box. A nil out of a box is no value. */
export function force(value: unknown): unknown {
  if (value instanceof LazyValue) return force(value.compute())
  if (value instanceof Boxed) return value.value ?? undefined
  return value
}

const types = new WeakMap<object, string>()

/** Tells what an array or a Map holds (`[]string`). */
export function withType<T extends readonly unknown[] | ReadonlyMap<string, unknown>>(value: T, type: string): T {
  types.set(value, type)
  return value
}

/** An element as it comes out of its container. */
export function element(container: readonly unknown[] | ReadonlyMap<string, unknown>, value: unknown): unknown {
  return types.has(container) ? value : new Boxed(value)
}

/** JSON to maps and slices of anything, as Go decodes it into `interface{}`. */
export function toGoMaps(value: unknown, numberOf: (value: number) => unknown = (number) => number): unknown {
  if (typeof value === 'number') return numberOf(value)
  if (Array.isArray(value)) return value.map((item) => toGoMaps(item, numberOf))
  if (typeof value !== 'object' || value === null || value instanceof JsonNumber) return value
  return new Map(Object.entries(value).map(([name, item]) => [name, toGoMaps(item, numberOf)]))
}

/** True as `if` in a template sees it: not zero, not empty, not nil. */
export function isTrue(value: unknown): boolean {
  const known = force(value)
  if (known === undefined || known === null || known === false || known === '' || known === 0 || known === 0n)
    return false
  if (known instanceof NilCollection || known instanceof NilPointer) return false
  if (known instanceof GoFloat) return known.value !== 0
  if (known instanceof GoDuration) return known.ns !== 0
  if (known instanceof JsonNumber) return known.text !== ''
  if (Array.isArray(known)) return known.length > 0
  if (known instanceof Map) return known.size > 0
  return true
}

/** The type's name in messages. */
export function typeName(value: unknown): string {
  if (value instanceof Boxed) return 'interface {}'
  if (value instanceof LazyValue) return typeName(value.compute())
  if (value === null || value === undefined) return '<nil>'
  if (value instanceof GoStruct || value instanceof NilPointer) return value.typeName
  if (value instanceof NilCollection) return value.kind === 'map' ? 'map[string]string' : '[]string'
  if (value instanceof Map) return types.get(value) ?? 'map[string]interface {}'
  if (Array.isArray(value)) return types.get(value) ?? '[]interface {}'
  if (value instanceof GoFloat) return 'float64'
  if (value instanceof GoDuration) return 'time.Duration'
  if (value instanceof JsonNumber) return 'json.Number'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  return typeof value === 'bigint' || Number.isInteger(value) ? 'int' : 'float64'
}

/** Keys in the order that Go ranges over a map in templates and prints it. */
export function sortedKeys(map: ReadonlyMap<string, unknown>): string[] {
  return [...map.keys()].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
}
