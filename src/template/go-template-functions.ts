/** Functions that a template can call: Go's own and those that Docker adds. */
import { invalidArgument } from '../base/index.ts'
import { formatGo, goJson, goSprintf } from './go-print.ts'
import { force, isTrue, NilCollection, typeName } from './go-value.ts'

export type TemplateFunction = (...args: readonly unknown[]) => unknown

/** `and` and `or` are not here: they stop at the deciding argument, so the evaluator does them. */
export const templateFunctions: Readonly<Record<string, TemplateFunction>> = {
  not: (value) => !isTrue(value),
  len: (value) => length(force(value)),
  index: (value, ...keys) => keys.reduce(indexOne, force(value)),
  slice: (value, ...bounds) => slice(force(value), bounds.map(Number)),
  print: (...args) => printOperands(args),
  println: (...args) => `${args.map((arg) => formatGo(arg)).join(' ')}\n`,
  printf: (format, ...args) => goSprintf(text(format), args),
  html: (...args) => printOperands(args).replace(/[&<>"'\0]/g, (char) => htmlEntities[char] ?? char),
  js: (...args) => escapeJs(printOperands(args)),
  urlquery: (...args) => encodeURIComponent(printOperands(args)).replaceAll('%20', '+'),
  eq: (first, ...others) => others.some((other) => equal(first, other)),
  ne: (left, right) => !equal(left, right),
  lt: (left, right) => order(left, right) < 0,
  le: (left, right) => order(left, right) <= 0,
  gt: (left, right) => order(left, right) > 0,
  ge: (left, right) => order(left, right) >= 0,
  json: (value) => goJson(value),
  split: (value, separator) => text(value).split(text(separator)),
  join: (values, separator) =>
    list(values)
      .map((value) => text(value))
      .join(text(separator)),
  title: (value) =>
    text(value).replace(/(^|[\s_-])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase()),
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  pad: (value, before, after) => padWithSpace(text(value), Number(before), Number(after)),
  truncate: (value, length) => [...text(value)].slice(0, Math.max(0, Number(length))).join(''),
}

/** Every name that a template may use. */
export const functionNames: ReadonlySet<string> = new Set([...Object.keys(templateFunctions), 'and', 'or', 'call'])

/** Functions that also work on the names of columns, so that a table's header can be made by the same template. */
export const headerFunctions: Readonly<Record<string, TemplateFunction>> = {
  ...templateFunctions,
  json: (value) => text(value),
  split: (value) => text(value),
  join: (value) => text(value),
  title: (value) => text(value),
  lower: (value) => text(value),
  upper: (value) => text(value),
  truncate: (value) => text(value),
}

const htmlEntities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\0': '\ufffd',
}

function escapeJs(value: string): string {
  return value.replace(/[\\'"<>&=\n\r\t]/g, (char) => {
    if ('\\\'"'.includes(char)) return `\\${char}`
    if (char === '\n') return '\\n'
    if (char === '\r') return '\\r'
    if (char === '\t') return '\\t'
    return `\\u00${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}

/** `fmt.Sprint`: spaces only between operands that are both no strings. */
function printOperands(args: readonly unknown[]): string {
  let result = ''
  args.forEach((arg, index) => {
    const previous = force(args[index - 1])
    if (index > 0 && typeof force(arg) !== 'string' && typeof previous !== 'string') result += ' '
    result += formatGo(arg)
  })
  return result
}

function padWithSpace(value: string, before: number, after: number): string {
  return value === '' ? value : ' '.repeat(before) + value + ' '.repeat(after)
}

function text(value: unknown): string {
  const known = force(value)
  return typeof known === 'string' ? known : formatGo(known)
}

function list(value: unknown): readonly unknown[] {
  const known = force(value)
  if (Array.isArray(known)) return known
  if (known instanceof NilCollection) return []
  throw invalidArgument(`wrong type for value; expected []string; got ${typeName(known)}`)
}

function length(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (Array.isArray(value)) return value.length
  if (value instanceof Map) return value.size
  if (value instanceof NilCollection) return 0
  throw invalidArgument(`len of ${value === null || value === undefined ? 'nil pointer' : `type ${typeName(value)}`}`)
}

function indexOne(container: unknown, key: unknown): unknown {
  const value = force(container)
  const known = force(key)
  if (value instanceof Map) return value.get(String(known))
  if (value instanceof NilCollection) return undefined
  if (Array.isArray(value) || typeof value === 'string') {
    if (typeof known !== 'number') throw invalidArgument(`cannot index slice/array with type ${typeName(known)}`)
    const size = length(value)
    if (known < 0 || known >= size) throw invalidArgument(`index out of range: ${known}`)
    return Array.isArray(value) ? value[known] : Buffer.from(value)[known]
  }
  throw invalidArgument(
    value === null || value === undefined ? 'index of untyped nil' : `can't index item of type ${typeName(value)}`,
  )
}

function slice(value: unknown, [from = 0, to]: readonly number[]): unknown {
  if (value instanceof NilCollection) return value
  const size = length(value)
  const end = to ?? size
  if (from < 0 || end > size || from > end)
    throw invalidArgument(`index out of range: ${from < 0 || from > end ? from : end}`)
  if (Array.isArray(value)) return value.slice(from, end)
  if (typeof value === 'string') return Buffer.from(value).subarray(from, end).toString('utf8')
  throw invalidArgument(`can't slice item of type ${typeName(value)}`)
}

function equal(left: unknown, right: unknown): boolean {
  const first = force(left) ?? null
  const second = force(right) ?? null
  if (isNumber(first) && isNumber(second)) return order(first, second) === 0
  if (first === null || second === null) return first === second
  if (typeof first !== typeof second || typeof first === 'object')
    throw invalidArgument('incompatible types for comparison')
  return first === second
}

function order(left: unknown, right: unknown): number {
  const first = force(left)
  const second = force(right)
  if (isNumber(first) && isNumber(second)) return first < second ? -1 : first > second ? 1 : 0
  if (typeof first === 'string' && typeof second === 'string')
    return Buffer.compare(Buffer.from(first), Buffer.from(second))
  throw invalidArgument('incompatible types for comparison')
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}
