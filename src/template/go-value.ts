/** Values as Go templates see them. JSON's kinds represent themselves. Kinds that only Go distinguishes are classes
 *  here, because they decide how a value prints, compares and fails. https://pkg.go.dev/text/template
 *
 *  string, boolean, number, bigint: as they are (a whole number is an int, any other a float64)
 *  array, Map: slices and maps; `withType` sets their type, otherwise they hold anything
 *  undefined: no value; null: an untyped nil */

/** An object with a fixed set of fields, or with methods: what a row of a table offers to a template. */
export class GoStruct {
  /** The type's name in Go's messages. */
  readonly typeName: string
  /** The fields, in order of declaration. */
  readonly fields: ReadonlyMap<string, unknown>
  /** The methods. They receive the arguments of the template. */
  readonly methods: Readonly<Record<string, (...args: readonly string[]) => unknown>>
  /** Finds a field by another name (`ID` for JSON's `Id`), or one that JSON left out because it is nil. */
  readonly lookup: ((name: string) => { readonly value: unknown } | undefined) | undefined

  /** Encodes the struct as JSON, if that is not done field by field. */
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

/** A nil slice or map. It prints like an empty one, and is null in JSON. */
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

/** A floating-point number, which may have a whole value. */
export class GoFloat {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

/** A duration, which prints as `1h0m0s`. */
export class GoDuration {
  readonly ns: number

  constructor(ns: number) {
    this.ns = ns
  }
}

/** A number of JSON that is kept as its text: a kind of string. */
export class JsonNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A value inside a map or slice of anything. Until it is used, Go's messages call its type `interface {}`. */
export class Boxed {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

/** A field whose value is computed when it is used. */
export class LazyValue {
  readonly compute: () => unknown

  constructor(compute: () => unknown) {
    this.compute = compute
  }
}

/** The value itself: computed, and taken out of its box. A boxed nil becomes undefined. */
export function force(value: unknown): unknown {
  if (value instanceof LazyValue) return force(value.compute())
  if (value instanceof Boxed) return value.value ?? undefined
  return value
}

const types = new WeakMap<object, string>()

/** Sets the type (`[]string`) that messages give for an array or a Map. Returns `value`. */
export function withType<T extends readonly unknown[] | ReadonlyMap<string, unknown>>(value: T, type: string): T {
  types.set(value, type)
  return value
}

/** An element as its container gives it, boxed if the container holds anything. */
export function element(container: readonly unknown[] | ReadonlyMap<string, unknown>, value: unknown): unknown {
  return types.has(container) ? value : new Boxed(value)
}

/** Turns parsed JSON into maps and slices of anything, as Go decodes it into `interface{}`. */
export function toGoMaps(value: unknown, numberOf: (value: number) => unknown = (number) => number): unknown {
  if (typeof value === 'number') return numberOf(value)
  if (Array.isArray(value)) return value.map((item) => toGoMaps(item, numberOf))
  if (typeof value !== 'object' || value === null || value instanceof JsonNumber) return value
  return new Map(Object.entries(value).map(([name, item]) => [name, toGoMaps(item, numberOf)]))
}

/** The truth of a value for `if`: not zero, not empty, not nil. */
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

/** The name of a value's type in messages. */
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

/** The keys in the order in which Go's templates iterate over and print a map. */
export function sortedKeys(map: ReadonlyMap<string, unknown>): string[] {
  return [...map.keys()].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
}
