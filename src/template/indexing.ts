/** The functions `index`, `slice` and `len` of Go's templates. */
import { invalidArgument } from '../base/index.ts'
import { Boxed, element, force, GoFloat, NilCollection, NilPointer, typeName } from './go-value.ts'

/** `index x 1 "a"`, which means `x[1]["a"]`. */
export function indexValue(container: unknown, keys: readonly unknown[]): unknown {
  if (force(container) === undefined || force(container) === null) throw invalidArgument('index of untyped nil')
  return keys.reduce(indexOne, container)
}

function indexOne(container: unknown, key: unknown): unknown {
  const value = force(container)
  const known = force(key)
  if (value instanceof NilPointer) throw invalidArgument('index of nil pointer')
  if (value instanceof Map || (value instanceof NilCollection && value.kind === 'map')) return indexMap(value, known)
  if (Array.isArray(value) || value instanceof NilCollection) {
    const list = Array.isArray(value) ? value : []
    return element(list, list[checkedIndex(known, list.length, 'slice')])
  }
  if (typeof value === 'string') {
    const bytes = Buffer.from(value)
    return bytes[checkedIndex(known, bytes.length, 'string')]
  }
  if (value === undefined || value === null) throw invalidArgument('index of nil pointer')
  throw invalidArgument(`can't index item of type ${typeName(value)}`)
}

function indexMap(map: ReadonlyMap<string, unknown> | NilCollection, key: unknown): unknown {
  if (key === undefined || key === null) throw invalidArgument('value is nil; should be of type string')
  if (typeof key !== 'string') throw invalidArgument(`value has type ${typeName(key)}; should be string`)
  const type = typeName(map)
  const wanted = /^map\[([^\]]+)\]/.exec(type)?.[1]
  if (wanted !== undefined && wanted !== 'string') throw invalidArgument(`value has type string; should be ${wanted}`)
  if (map instanceof Map && map.has(key)) return element(map, map.get(key))
  // A missing key gives the zero value of the map's type.
  return type === 'map[string]string' ? '' : undefined
}

/** Checks a position in a slice or string. For a `bound` of `slice`, the position behind the last element is valid too.
 *  `index` and `slice` have different error texts. */
function checkedIndex(index: unknown, size: number, of: 'slice' | 'string' | 'bound'): number {
  if (index === undefined || index === null) throw invalidArgument('cannot index slice/array with nil')
  if (
    index instanceof GoFloat ||
    (typeof index !== 'number' && typeof index !== 'bigint') ||
    !Number.isInteger(Number(index))
  ) {
    throw invalidArgument(`cannot index slice/array with type ${typeName(index)}`)
  }
  const position = Number(index)
  if (position < 0 || position > size) throw invalidArgument(`index out of range: ${index}`)
  if (of !== 'bound' && position === size) throw invalidArgument(`reflect: ${of} index out of range`)
  return position
}

/** `slice x 1 3`, which means `x[1:3]`. */
export function sliceValue(item: unknown, bounds: readonly unknown[]): unknown {
  const value = force(item)
  if (value === undefined || value === null) throw invalidArgument('slice of untyped nil')
  if (bounds.length > 3) throw invalidArgument(`too many slice indexes: ${bounds.length}`)
  const isText = typeof value === 'string'
  if (isText && bounds.length === 3) throw invalidArgument('cannot 3-index slice a string')
  const list = sliceable(value)
  const [from = 0, to = list.length, capacity] = bounds.map((bound) => checkedIndex(force(bound), list.length, 'bound'))
  if (from > to) throw invalidArgument(`invalid slice index: ${from} > ${to}`)
  if (capacity !== undefined && to > capacity) throw invalidArgument(`invalid slice index: ${to} > ${capacity}`)
  if (Buffer.isBuffer(list)) return list.subarray(from, to).toString('utf8')
  return value instanceof NilCollection ? value : list.slice(from, to)
}

function sliceable(value: unknown): Buffer | readonly unknown[] {
  if (typeof value === 'string') return Buffer.from(value)
  if (Array.isArray(value)) return value
  if (value instanceof NilCollection && value.kind === 'slice') return []
  throw invalidArgument(`can't slice item of type ${typeName(value)}`)
}

/** The number of bytes of a string, or of elements of anything else. */
export function lengthOf(item: unknown): number {
  const value = force(item)
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (Array.isArray(value)) return value.length
  if (value instanceof Map) return value.size
  if (value instanceof NilCollection) return 0
  const isBoxedNil = item instanceof Boxed && value === undefined
  if (value instanceof NilPointer || isBoxedNil) throw invalidArgument('len of nil pointer')
  // The text comes from inside Go's reflect package.
  if (value === undefined || value === null) throw invalidArgument('reflect: call of reflect.Value.Type on zero Value')
  throw invalidArgument(`len of type ${typeName(value)}`)
}
