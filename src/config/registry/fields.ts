/** Readers of single fields of a YAML file. Each takes a value as YAML gives it, and its place in the file. It gives a
 *  checked value, or throws `invalidArgument` with the field's name (`auth.rules[0].actions`). `object` refuses unknown
 *  keys. A field that is absent or has no value is `undefined` here. */
import { type BerthError, invalidArgument } from '../../base/index.ts'
import { parseBytes } from '../options/values.ts'

/** The place of a value in the file: the keys and indexes that lead to it. */
export type Place = readonly (string | number)[]

/** Checks one value. */
export type Field<T> = (value: unknown, place: Place) => T

/** The error that readers throw. `details.place` has the place, so that a caller can add the line number. */
export function fieldError(place: Place, problem: string): BerthError {
  return invalidArgument(`${formatPlace(place)}: ${problem}`, { details: { place } })
}

/** Writes a place as `auth.rules[0].actions`. */
function formatPlace(place: Place): string {
  const text = place.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')
  return text === '' ? 'the file' : text.replace(/^\./, '')
}

/** A field that may be absent. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return (value, place) => (isAbsent(value) ? undefined : field(value, place))
}

/** A field with a default. */
export function withDefault<T>(field: Field<T>, fallback: T): Field<T> {
  return (value, place) => (isAbsent(value) ? fallback : field(value, place))
}

/** A non-empty text. */
export const text: Field<string> = (value, place) => {
  if (isAbsent(value)) throw fieldError(place, 'is missing')
  if (typeof value !== 'string') throw fieldError(place, 'must be a text (in quotes, if it looks like a number)')
  if (value === '') throw fieldError(place, 'is empty')
  return value
}

/** A boolean: `true` or `false`. */
export const flag: Field<boolean> = (value, place) => {
  if (typeof value !== 'boolean') throw fieldError(place, 'must be true or false')
  return value
}

/** An integer from `least` to `most`. */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER): Field<number> {
  return (value, place) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
      throw fieldError(place, `must be a whole number ${range}`)
    }
    return value
  }
}

/** A size: a number of bytes, or `64KiB`, `4MiB`, `10g` in binary units. Gives bytes. */
export const size: Field<number> = (value, place) => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  if (typeof value !== 'string') throw fieldError(place, 'must be a size such as 512, 64KiB, 4MiB or 10GiB')
  try {
    return parseBytes(value, formatPlace(place))
  } catch {
    // Replaces the `invalidArgument` of the parser, whose message does not name the field.
    throw fieldError(place, `must be a size such as 512, 64KiB, 4MiB or 10GiB, not ${JSON.stringify(value)}`)
  }
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A duration: `500ms`, `30s`, `5m`, `1h30m`, `7d`, or 0. Gives milliseconds. */
export const duration: Field<number> = (value, place) => {
  if (value === 0 || value === '0') return 0
  const parts = typeof value === 'string' ? [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)] : []
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== value) {
    throw fieldError(place, 'must be a length of time such as 30s, 5m, 1h30m or 7d')
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0)
}

/** One of the given words. */
export function choice<T extends string>(...words: readonly T[]): Field<T> {
  return (value, place) => {
    const found = words.find((word) => word === value)
    if (found === undefined) throw fieldError(place, `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`)
    return found
  }
}

/** A list. A single value without a list is a list of one. */
export function list<T>(item: Field<T>): Field<readonly T[]> {
  return (value, place) => {
    if (isAbsent(value)) return []
    return Array.isArray(value) ? value.map((one, index) => item(one, [...place, index])) : [item(value, place)]
  }
}

/** A map from names that the user chooses to values. */
export function map<T>(item: Field<T>): Field<Readonly<Record<string, T>>> {
  return (value, place) => {
    if (isAbsent(value)) return {}
    const entries = Object.entries(objectOf(value, place))
    return Object.fromEntries(entries.map(([key, one]) => [key, item(one, [...place, key])]))
  }
}

type Fields = Readonly<Record<string, Field<unknown>>>

/** An object with exactly these keys. Without a value, it counts as empty. */
export function object<F extends Fields>(fields: F): Field<{ readonly [K in keyof F]: ReturnType<F[K]> }> {
  return (value, place) => {
    const given = isAbsent(value) ? {} : objectOf(value, place)
    const unknown = Object.keys(given).find((key) => !Object.hasOwn(fields, key))
    if (unknown !== undefined) {
      throw fieldError(
        [...place, unknown],
        `there is no such setting; ${formatPlace(place)} takes ${Object.keys(fields).join(', ')}`,
      )
    }
    const entries = Object.entries(fields).map(([key, field]) => [key, field(given[key], [...place, key])])
    return Object.fromEntries(entries) as { readonly [K in keyof F]: ReturnType<F[K]> }
  }
}

function objectOf(value: unknown, place: Place): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fieldError(place, 'must be a group of settings (key: value)')
  }
  return value as Record<string, unknown>
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null
}
