/** The functions that a template can call: Go's own and those that Docker adds. */
import { invalidArgument } from '../base/index.ts'
import { isEqualToAny, order } from './comparisons.ts'
import { goJson } from './go-json.ts'
import { formatGo, goSprint } from './go-print.ts'
import { goSprintf } from './go-sprintf.ts'
import { force, isTrue, withType } from './go-value.ts'
import { indexValue, lengthOf, sliceValue } from './indexing.ts'

/** The type of a parameter. `any` accepts all values. */
export type ParameterType = 'any' | 'string' | '[]string' | 'int'

/** A function that a template can call. */
export interface TemplateFunction {
  readonly parameters: readonly ParameterType[]
  /** The last parameter may be repeated, or be absent. */
  readonly variadic?: boolean
  /** Receives values of the declared types. Throws `invalidArgument` with Go's text. */
  readonly call: (...args: never[]) => unknown
}

function define(
  parameters: readonly ParameterType[],
  call: TemplateFunction['call'],
  { variadic = false }: { readonly variadic?: boolean } = {},
): TemplateFunction {
  return { parameters, call, variadic }
}

const many = { variadic: true } as const

/** `and` and `or` are here for their parameters only. The evaluator runs them, because they stop at the deciding
 *  argument. */
const builtins: Readonly<Record<string, TemplateFunction>> = {
  and: define(['any', 'any'], (value: unknown) => value, many),
  or: define(['any', 'any'], (value: unknown) => value, many),
  not: define(['any'], (value: unknown) => !isTrue(value)),
  len: define(['any'], (value: unknown) => lengthOf(value)),
  index: define(['any', 'any'], (value: unknown, ...keys: unknown[]) => indexValue(value, keys), many),
  slice: define(['any', 'any'], (value: unknown, ...bounds: unknown[]) => sliceValue(value, bounds), many),
  call: define(['any', 'any'], (value: unknown) => refuseCall(value), many),
  print: define(['any'], (...args: unknown[]) => goSprint(args), many),
  println: define(['any'], (...args: unknown[]) => `${args.map((arg) => formatGo(arg)).join(' ')}\n`, many),
  printf: define(['string', 'any'], (format: string, ...args: unknown[]) => goSprintf(format, args), many),
  html: define(['any'], (...args: unknown[]) => escapeHtml(textOf(args)), many),
  js: define(['any'], (...args: unknown[]) => escapeJs(textOf(args)), many),
  urlquery: define(['any'], (...args: unknown[]) => escapeQuery(textOf(args)), many),
  eq: define(['any', 'any'], (first: unknown, ...others: unknown[]) => isEqualToAny(first, others), many),
  ne: define(['any', 'any'], (left: unknown, right: unknown) => !isEqualToAny(left, [right])),
  lt: define(['any', 'any'], (left: unknown, right: unknown) => order(left, right) < 0),
  le: define(['any', 'any'], (left: unknown, right: unknown) => order(left, right) <= 0),
  gt: define(['any', 'any'], (left: unknown, right: unknown) => order(left, right) > 0),
  ge: define(['any', 'any'], (left: unknown, right: unknown) => order(left, right) >= 0),
}

const dockers: Readonly<Record<string, TemplateFunction>> = {
  json: define(['any'], (value: unknown) => goJson(value)),
  split: define(['string', 'string'], (text: string, separator: string) => split(text, separator)),
  join: define(['[]string', 'string'], (values: readonly unknown[], separator: string) =>
    values.map((value) => String(force(value))).join(separator),
  ),
  title: define(['string'], (text: string) => title(text)),
  lower: define(['string'], (text: string) => text.toLowerCase()),
  upper: define(['string'], (text: string) => text.toUpperCase()),
  pad: define(['string', 'int', 'int'], (text: string, before: number, after: number) => pad(text, before, after)),
  truncate: define(['string', 'int'], (text: string, length: number) => truncate(text, length)),
}

/** All functions by name. */
export const templateFunctions: Readonly<Record<string, TemplateFunction>> = { ...builtins, ...dockers }

/** The names of all functions. */
export const functionNames: ReadonlySet<string> = new Set(Object.keys(templateFunctions))

const same = (parameters: readonly ParameterType[]): TemplateFunction => define(parameters, (text: string) => text)

/** Functions that also work on column names, so that the same template makes a table's header. */
export const headerFunctions: Readonly<Record<string, TemplateFunction>> = {
  ...templateFunctions,
  json: same(['string']),
  title: same(['string']),
  lower: same(['string']),
  upper: same(['string']),
  truncate: same(['string', 'int']),
}

/** A single string stays unchanged; everything else is printed. */
function textOf(args: readonly unknown[]): string {
  const [only, ...more] = args.map(force)
  if (more.length === 0 && typeof only === 'string') return only
  return goSprint(args.map((arg) => ((force(arg) ?? undefined) === undefined ? '<no value>' : arg)))
}

/** Refuses `call`: no value that a template can see is a function. */
function refuseCall(value: unknown): never {
  const known = force(value)
  throw invalidArgument(known === undefined || known === null ? 'call of nil' : 'not a function')
}

function split(text: string, separator: string): readonly string[] {
  return withType(separator === '' ? [...text] : text.split(separator), '[]string')
}

/** Puts a letter into upper case unless a letter, a digit or an underscore precedes it. */
function title(text: string): string {
  return text.replace(
    /(^|[\0-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f\s])(\p{L})/gu,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  )
}

function pad(text: string, before: number, after: number): string {
  return text === '' ? text : ' '.repeat(Math.max(0, before)) + text + ' '.repeat(Math.max(0, after))
}

function truncate(text: string, length: number): string {
  return Buffer.byteLength(text) < length ? text : Buffer.from(text).subarray(0, Math.max(0, length)).toString('utf8')
}

const htmlEntities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\0': '\ufffd',
}

/** The function `html`. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\0]/g, (char) => htmlEntities[char] ?? char)
}

/** The function `js`. */
function escapeJs(text: string): string {
  return text.replace(/[\\'"<>&=\u0000-\u001f\u007f-\uffff]/g, (char) => {
    if ('\\\'"'.includes(char)) return `\\${char}`
    const code = char.charCodeAt(0)
    if (code >= 0x80 && (/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char) || (code & 0xf800) === 0xd800)) return char
    if (code === 0x7f) return char
    return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
  })
}

/** The function `urlquery`. */
function escapeQuery(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}
