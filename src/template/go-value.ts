/** Values as Go templates see them, made from JSON: which objects are structs and which maps decides how they
 *  print, whether they can be ranged over, and what a missing key means. */

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

/** A field whose value is computed on use. */
export class LazyValue {
  readonly compute: () => unknown

  constructor(compute: () => unknown) {
    this.compute = compute
  }
}

/** The value behind a lazy one. */
export function force(value: unknown): unknown {
  return value instanceof LazyValue ? value.compute() : value
}

/** JSON to maps and slices, as Go decodes it into `interface{}`. */
export function toGoMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toGoMaps)
  if (typeof value !== 'object' || value === null) return value
  return new Map(Object.entries(value).map(([name, item]) => [name, toGoMaps(item)]))
}

/** True as `if` in a template sees it: not zero, not empty, not nil. */
export function isTrue(value: unknown): boolean {
  const known = force(value)
  if (known === undefined || known === null || known === false || known === '' || known === 0 || known === 0n)
    return false
  if (known instanceof NilCollection) return false
  if (Array.isArray(known)) return known.length > 0
  if (known instanceof Map) return known.size > 0
  return true
}

/** The type's name in messages. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'nil'
  if (value instanceof GoStruct) return value.typeName
  if (value instanceof NilCollection) return value.kind === 'map' ? 'map[string]interface {}' : '[]interface {}'
  if (value instanceof Map) return 'map[string]interface {}'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  return typeof value === 'bigint' || Number.isInteger(value) ? 'int' : 'float64'
}
