/** The values of the flags in one call. */
import { parseBool } from './flag.ts'

/** Typed access to the values of flags. */
export class FlagValues {
  readonly #values: ReadonlyMap<string, readonly string[]>
  readonly #defaultTrue: ReadonlySet<string>

  constructor(values: ReadonlyMap<string, readonly string[]>, defaultTrue: ReadonlySet<string> = new Set()) {
    this.#values = values
    this.#defaultTrue = defaultTrue
  }

  /** True when the user gave the flag. */
  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** The value of a boolean flag. */
  bool(name: string): boolean {
    const value = this.#values.get(name)?.at(-1)
    return value === undefined ? this.#defaultTrue.has(name) : parseBool(value)
  }

  /** The last value; `fallback` when the flag was not given. */
  string(name: string, fallback = ''): string {
    return this.#values.get(name)?.at(-1) ?? fallback
  }

  /** All values, in order. */
  list(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }

  /** A whole number, a size in bytes, a duration in nanoseconds, or CPUs in billionths. */
  number(name: string, fallback = 0): number {
    const value = this.#values.get(name)?.at(-1)
    return value === undefined ? fallback : Number(value)
  }

  /** `name=value` pairs as an object. A pair without `=` has an empty value. */
  pairs(name: string): Record<string, string> {
    return toPairs(this.list(name))
  }

  /** The filters in the form of the API. */
  filters(name = 'filter'): Record<string, string[]> {
    const result: Record<string, string[]> = {}
    for (const filter of this.list(name)) {
      const equals = filter.indexOf('=')
      ;(result[filter.slice(0, equals)] ??= []).push(filter.slice(equals + 1))
    }
    return result
  }
}

/** `a=1`, `b` → `{a: '1', b: ''}`. */
export function toPairs(items: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    items.map((item) => {
      const equals = item.indexOf('=')
      return equals === -1 ? [item, ''] : [item.slice(0, equals), item.slice(equals + 1)]
    }),
  )
}
