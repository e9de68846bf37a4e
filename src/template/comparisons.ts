/** `eq`, `lt` and the like: which values can be compared, and the errors in Go's words. */
import { invalidArgument } from '../base/index.ts'
import { goSprintf } from './go-sprintf.ts'
import { force, GoDuration, GoFloat, JsonNumber, NilCollection, NilPointer, typeName } from './go-value.ts'

type Kind = 'bool' | 'int' | 'float' | 'string' | 'invalid' | 'other'

function kindOf(value: unknown): Kind {
  if (value === undefined || value === null) return 'invalid'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string' || value instanceof JsonNumber) return 'string'
  if (value instanceof GoFloat) return 'float'
  if (value instanceof GoDuration) return 'int'
  if (typeof value === 'bigint') return 'int'
  return typeof value === 'number' ? (Number.isInteger(value) ? 'int' : 'float') : 'other'
}

const incompatible = (): Error => invalidArgument('incompatible types for comparison')

/** True when `first` equals any of the others: `eq a b c`. */
export function isEqualToAny(first: unknown, others: readonly unknown[]): boolean {
  if (others.length === 0) throw invalidArgument('missing argument for comparison')
  return others.some((other) => isEqual(force(first), force(other)))
}

function isEqual(left: unknown, right: unknown): boolean {
  const kind = kindOf(left)
  if (kind !== kindOf(right)) {
    if (kind === 'invalid' || kindOf(right) === 'invalid') return isNil(left) && isNil(right)
    throw incompatible()
  }
  if (kind === 'invalid') return true
  if (kind !== 'other') return compareBasic(left, right) === 0
  if (isNil(left) || isNil(right)) return isNil(left) === isNil(right)
  if (typeName(left) !== typeName(right)) throw incompatible()
  throw invalidArgument(goSprintf('non-comparable type %s: %v', [right, typeName(right)]))
}

function isNil(value: unknown): boolean {
  return value === undefined || value === null || value instanceof NilCollection || value instanceof NilPointer
}

/** Compares two values: negative, 0 or positive. Throws for values that have no order. */
export function order(first: unknown, second: unknown): number {
  const left = force(first)
  const right = force(second)
  for (const value of [left, right]) {
    if (kindOf(value) === 'other' || kindOf(value) === 'invalid') throw invalidArgument('invalid type for comparison')
  }
  if (kindOf(left) !== kindOf(right)) throw incompatible()
  if (kindOf(left) === 'bool') throw invalidArgument('invalid type for comparison')
  return compareBasic(left, right)
}

function compareBasic(left: unknown, right: unknown): number {
  if (typeof left === 'boolean') return left === right ? 0 : 1
  const first = basic(left)
  const second = basic(right)
  if (typeof first === 'string' || typeof second === 'string')
    return Buffer.compare(Buffer.from(String(first)), Buffer.from(String(second)))
  return first < second ? -1 : first > second ? 1 : 0
}

function basic(value: unknown): string | number | bigint {
  if (value instanceof GoFloat) return value.value
  if (value instanceof GoDuration) return value.ns
  if (value instanceof JsonNumber) return value.text
  return value as string | number | bigint
}
