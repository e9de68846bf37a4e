/** The one description of JSON that clients send: every body is read by a shape, which gives each member its type and
 *  each text its longest length. Values are read as Go reads them: names match in any case, unknown members are
 *  dropped, a member that is null counts as absent, and type errors have Go's texts.
 *  Texts are bounded because many of them reach programs and the kernel: an OCI runtime that repeats a long text in an
 *  error message would block on its pipe. */
import { invalidArgument } from '../../base/index.ts'

/** What a value must be. */
export type Shape = 'boolean' | 'integer' | 'object' | TextShape | ListShape | MapShape | StructShape

interface TextShape {
  /** The most bytes as UTF-8. */
  readonly text: number
}

interface ListShape {
  readonly list: Shape
  /** A single text stands for a list of it, as in Docker's StrSlice. */
  readonly orText?: boolean
}

/** An object with keys of the client's choice. */
interface MapShape {
  readonly map: Shape
  /** What a null value means. Default: it is refused. */
  readonly nullMeans?: object | 'null'
}

interface StructShape {
  readonly struct: StructMembers
  /** Texts that are absent are read as ''. */
  readonly complete?: boolean
  /** Members that are zero are dropped. */
  readonly omitsZeros?: boolean
}

/** Shapes of members by name. */
export type StructMembers = Readonly<Record<string, Shape>>

/** The name of an object, a driver, a mode or a host. */
export const name: Shape = { text: 1024 }
/** A path: the kernel's PATH_MAX. */
export const path: Shape = { text: 4095 }
/** Some paths with options. */
export const line: Shape = { text: 16 * 1024 }
/** An argument or a variable: the kernel takes no longer ones (MAX_ARG_STRLEN). */
export const argument: Shape = { text: 128 * 1024 - 1 }
/** A text that nothing but the engine reads. */
export const document: Shape = { text: 1024 * 1024 }
export const names: Shape = { list: name }
export const lines: Shape = { list: line }
export const args: Shape = { list: argument }
/** Driver options and the like. */
export const options: Shape = { map: line }
export const labels: Shape = { map: document }
/** An object used as a set. */
export const keys: Shape = { map: 'object', nullMeans: {} }

/** A place in the body, for messages. */
interface Place {
  readonly parent?: Place
  /** A member's name, an index or a key. */
  readonly step: string | number
  readonly isKey?: boolean
}

const maxKeyBytes = 4095
const shownKeyLength = 60

/** The known members of an object, checked. `owner` is the object's name in messages. Throws `invalidArgument` for the
 *  first member of a wrong type, in Go's words, and for the first text that is too long or has a NUL byte. */
export function readMembers(owner: string, value: object, members: StructMembers): Record<string, unknown> {
  return readStruct({ step: owner }, value, { struct: members })
}

/** The members of a whole body. `goType` is Go's name of the body's type, like `container.ExecOptions`. No body and
 *  null count as an empty one. Throws as `readMembers`, and for a body that is no object. */
export function readBody(goType: string, body: unknown, members: StructMembers): Record<string, unknown> {
  return readMembers(goType.replace(/^.*\./, ''), objectBody(goType, body), members)
}

/** The body itself, which must be an object. No body and null count as an empty one. */
export function objectBody(goType: string, body: unknown): object {
  if (body === undefined || body === null) return {}
  if (typeof body === 'object' && !Array.isArray(body)) return body
  throw invalidArgument(`invalid JSON: json: cannot unmarshal ${jsonTypeOf(body)} into Go value of type ${goType}`)
}

/** The value, checked. `owner` is its name in messages. Throws as `readMembers`. */
export function readValue(owner: string, value: unknown, shape: Shape): unknown {
  return readShape({ step: owner }, value, shape)
}

/** True for what Go calls the zero value of a type. */
export function isZero(value: unknown): boolean {
  return [null, undefined, '', 0, false].includes(value as null) || (Array.isArray(value) && value.length === 0)
}

function readShape(place: Place, value: unknown, shape: Shape): unknown {
  if (value === null) throw invalidArgument(`invalid JSON: ${exactName(place)} is null, not ${article(goType(shape))}`)
  if (shape === 'object') {
    if (!isObject(value)) throw typeMismatch(place, value, shape)
    return {}
  }
  if (typeof shape === 'string') {
    if (shape === 'integer' ? !isGoInteger(value) : typeof value !== shape) throw typeMismatch(place, value, shape)
    return value
  }
  if ('text' in shape) return readText(place, value, shape)
  if ('list' in shape) return readList(place, value, shape)
  if (!isObject(value)) throw typeMismatch(place, value, shape)
  return 'map' in shape ? readMap(place, value, shape) : readStruct(place, value, shape)
}

function readText(place: Place, value: unknown, shape: TextShape): string {
  if (typeof value !== 'string') throw typeMismatch(place, value, shape)
  checkText(value, shape.text, () => exactName(place))
  return value
}

function checkText(value: string, maxBytes: number, where: () => string): void {
  // A UTF-16 unit has at most three bytes in UTF-8.
  if (value.length * 3 > maxBytes) {
    const bytes = Buffer.byteLength(value)
    if (bytes > maxBytes) throw invalidArgument(`${where()} is too long: it has ${bytes} bytes, at most ${maxBytes}`)
  }
  if (value.includes('\0')) throw invalidArgument(`${where()} contains a NUL byte`)
}

function readList(place: Place, value: unknown, shape: ListShape): unknown {
  if (shape.orText === true && typeof value === 'string') return [readShape(place, value, shape.list)]
  if (!Array.isArray(value)) throw typeMismatch(place, value, shape)
  return value.map((item, index) => readShape({ parent: place, step: index }, item, shape.list))
}

function readMap(place: Place, value: object, { map, nullMeans }: MapShape): object {
  const entries = Object.entries(value).map(([key, member]) => {
    const at: Place = { parent: place, step: key, isKey: true }
    checkText(key, maxKeyBytes, () => `a key of ${exactName(place)}`)
    if (member !== null || nullMeans === undefined) return [key, readShape(at, member, map)]
    return [key, nullMeans === 'null' ? null : nullMeans]
  })
  return Object.fromEntries(entries)
}

function readStruct(place: Place, value: object, shape: StructShape): Record<string, unknown> {
  const { struct, complete = false, omitsZeros = false } = shape
  const known = namesByLowerCase(struct)
  const members: Record<string, unknown> = {}
  if (complete) for (const [key, inside] of Object.entries(struct)) if (isText(inside)) members[key] = ''
  for (const [given, member] of Object.entries(value)) {
    const key = Object.hasOwn(struct, given) ? given : known.get(given.toLowerCase())
    const inside = key === undefined ? undefined : struct[key]
    if (key === undefined || inside === undefined || member === null || member === undefined) continue
    const read = readShape({ parent: place, step: key }, member, inside)
    if (!omitsZeros || !isZero(read)) members[key] = read
  }
  return members
}

const lowerCaseNames = new WeakMap<StructMembers, ReadonlyMap<string, string>>()

function namesByLowerCase(members: StructMembers): ReadonlyMap<string, string> {
  const known = lowerCaseNames.get(members)
  if (known !== undefined) return known
  const found = new Map(Object.keys(members).map((key) => [key.toLowerCase(), key]))
  lowerCaseNames.set(members, found)
  return found
}

/** True for a JSON number that fits into Go's int64. */
function isGoInteger(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 63
}

/** The error of Go's decoder for a value of another type. */
function typeMismatch(place: Place, value: unknown, shape: Shape): Error {
  const shown = typeof value === 'number' && shape === 'integer' ? `number ${value}` : jsonTypeOf(value)
  return invalidArgument(
    `invalid JSON: json: cannot unmarshal ${shown} into Go struct field ${goName(place)} of type ${goType(shape)}`,
  )
}

/** The place in Go's form, which has neither indexes nor keys: `HostConfig.Mounts.Type`. */
function goName({ parent, step, isKey }: Place): string {
  if (parent === undefined) return String(step)
  const before = goName(parent)
  return typeof step === 'number' || isKey === true ? before : `${before}.${step}`
}

/** The exact place: `HostConfig.Mounts[1].Type`, `HostConfig.Tmpfs["/run"]`. */
function exactName({ parent, step, isKey }: Place): string {
  if (parent === undefined) return String(step)
  const before = exactName(parent)
  if (typeof step === 'number') return `${before}[${step}]`
  return isKey === true ? `${before}[${JSON.stringify(shortened(step))}]` : `${before}.${step}`
}

function shortened(key: string): string {
  return key.length > shownKeyLength ? `${key.slice(0, shownKeyLength)}…` : key
}

function goType(shape: Shape): string {
  if (shape === 'boolean') return 'bool'
  if (shape === 'integer') return 'int64'
  if (shape === 'object') return 'struct {}'
  if (isText(shape)) return 'string'
  if ('list' in shape) return isText(shape.list) ? '[]string' : '[]struct'
  if ('map' in shape) return shape.map === 'object' ? 'map[string]struct {}' : 'map[string]string'
  return 'struct'
}

function article(type: string): string {
  return type === 'int64' ? `an ${type}` : `a ${type}`
}

/** Go's name for the type of a JSON value. */
function jsonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function isText(shape: Shape): shape is TextShape {
  return typeof shape === 'object' && 'text' in shape
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
