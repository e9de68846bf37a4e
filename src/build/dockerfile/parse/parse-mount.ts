/** Parses `RUN --mount=type=…,key=value,…`. https://docs.docker.com/reference/dockerfile/#run---mount */

import type { CacheMount, Mount, MountOwner, SecretMount } from '../instructions/mount.ts'
import { parseByteSize, parseCsvFields } from '../instructions/mount-values.ts'
import { cleanPath } from '../paths/container-path.ts'
import { parseBoolean } from '../text/check-options.ts'
import { didYouMean } from '../text/suggest.ts'
import { ExpansionError } from '../words/expansion-error.ts'

const mountTypes = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const
type MountType = (typeof mountTypes)[number]

/** Every key, the name under which its value is kept, and the types that accept it. */
const keyTable: Readonly<Record<string, readonly [name: string, types?: readonly MountType[]]>> = {
  type: ['type'],
  target: ['target'],
  dst: ['target'],
  destination: ['target'],
  source: ['source', ['bind', 'cache']],
  src: ['source', ['bind', 'cache']],
  from: ['from', ['bind', 'cache']],
  readonly: ['readonly', ['bind', 'cache']],
  ro: ['readonly', ['bind', 'cache']],
  readwrite: ['readwrite', ['bind', 'cache']],
  rw: ['readwrite', ['bind', 'cache']],
  required: ['required', ['secret', 'ssh']],
  id: ['id', ['cache', 'secret', 'ssh']],
  sharing: ['sharing', ['cache']],
  mode: ['mode', ['cache', 'secret', 'ssh']],
  uid: ['uid', ['cache', 'secret', 'ssh']],
  gid: ['gid', ['cache', 'secret', 'ssh']],
  size: ['size', ['tmpfs']],
  env: ['env', ['secret']],
}
const bareKeys = new Set(['readonly', 'readwrite', 'required'])

/** Parses one mount. With `expand`, variables in values are replaced. Without it, values that contain variables are
 *  taken unchanged and unchecked. Throws `ExpansionError`. */
export function parseMount(text: string, expand?: (value: string) => string): Mount {
  const fields = readFields(text, expand)
  const type = fields.get('type') ?? 'bind'
  if (!isMountType(type)) throw problem(`unsupported mount type "${type}"${didYouMean(type, mountTypes)}`)
  for (const name of fields.keys()) {
    const types = Object.values(keyTable).find(([one]) => one === name)?.[1]
    if (types !== undefined && !types.includes(type)) throw problem(misplaced(name, type))
  }
  return mountOf(type, new Values(fields, expand === undefined))
}

function readFields(text: string, expand: ((value: string) => string) | undefined): Map<string, string> {
  const fields = new Map<string, string>()
  for (const field of parseCsvFields(text)) {
    const equals = field.indexOf('=')
    const key = (equals === -1 ? field : field.slice(0, equals)).toLowerCase()
    const entry = Object.hasOwn(keyTable, key) ? keyTable[key] : undefined
    if (equals === -1 && (entry === undefined || !bareKeys.has(entry[0]))) {
      throw problem(`invalid field '${field}' must be a key=value pair`)
    }
    if (entry === undefined)
      throw problem(`unexpected key '${key}' in '${field}'${didYouMean(key, Object.keys(keyTable))}`)
    fields.set(entry[0], equals === -1 ? 'true' : fieldValue(entry[0], field.slice(equals + 1), expand))
  }
  return fields
}

function fieldValue(name: string, value: string, expand: ((value: string) => string) | undefined): string {
  if (!value.includes('$')) return value
  if (name === 'from') throw problem(`'from' doesn't support variable expansion, define alias stage instead`)
  return expand === undefined || name === 'type' ? value : expand(value)
}

function misplaced(name: string, type: MountType): string {
  if (name === 'mode' || name === 'uid' || name === 'gid') return `${name} not allowed for "${type}" type mounts`
  if (name === 'sharing') return `invalid cache sharing set for ${type} mount`
  if (type === 'secret' && (name === 'from' || name === 'source')) return `secret mount should not have a ${name}`
  return `unexpected key '${name}' for mount type '${type}'`
}

function mountOf(type: MountType, values: Values): Mount {
  const source = { source: values.text('source') ?? '/', ...optional('from', values.text('from')) }
  switch (type) {
    case 'bind':
      return { type, target: values.target(), ...source, readOnly: values.readOnly(true) }
    case 'cache':
      return {
        type,
        target: values.target(),
        ...source,
        readOnly: values.readOnly(false),
        ...optional('id', values.text('id')),
        sharing: values.sharing(),
        ...values.owned(0o755),
      }
    case 'tmpfs':
      return { type, target: values.target(), ...optional('sizeBytes', values.size()) }
    case 'secret':
      return secretOf(values)
    case 'ssh':
      return {
        type,
        id: values.text('id') ?? 'default',
        ...optional('target', values.text('target')),
        required: values.boolean('required') ?? false,
        ...values.owned(0o600),
      }
  }
}

function secretOf(values: Values): SecretMount {
  const given = values.text('target')
  const env = values.text('env')
  const id = values.text('id') ?? given?.split('/').findLast((part) => part !== '')
  if (id === undefined) throw problem('invalid secret mount. one of id, target required')
  const target = given ?? (env === undefined ? `/run/secrets/${id}` : undefined)
  return {
    type: 'secret',
    id,
    ...optional('target', target),
    ...optional('env', env),
    required: values.boolean('required') ?? false,
    ...values.owned(0o400),
  }
}

/** The fields of one mount, with the rules for reading them. */
class Values {
  readonly #fields: ReadonlyMap<string, string>
  /** Values may contain unexpanded variables. */
  readonly #unexpanded: boolean

  constructor(fields: ReadonlyMap<string, string>, unexpanded: boolean) {
    this.#fields = fields
    this.#unexpanded = unexpanded
  }

  /** An empty value counts as absent. */
  text(name: string): string | undefined {
    const value = this.#fields.get(name)
    return value === '' ? undefined : value
  }

  /** The target. Default: the working directory. */
  target(): string {
    const target = this.text('target') ?? '.'
    if (target.startsWith('/') && cleanPath(target) === '/') throw problem(`invalid mount target "${target}"`)
    return target
  }

  boolean(name: string): boolean | undefined {
    return this.#checked(name, parseBoolean, (value) => `invalid value for ${name}: ${value}`)
  }

  readOnly(byDefault: boolean): boolean {
    const writable = this.boolean('readwrite')
    return this.boolean('readonly') ?? (writable === undefined ? byDefault : !writable)
  }

  size(): number | undefined {
    return this.#checked('size', parseByteSize, (value) => `invalid value for size: ${value}`)
  }

  sharing(): CacheMount['sharing'] {
    const all = ['shared', 'private', 'locked'] as const
    const find = (text: string) => all.find((one) => one === text.toLowerCase())
    const refuse = (value: string) => `unsupported sharing value "${value}"${didYouMean(value, all)}`
    return this.#checked('sharing', find, refuse) ?? 'shared'
  }

  owned(mode: number): MountOwner {
    return {
      mode: this.#number('mode', 8) ?? mode,
      uid: this.#number('uid', 10) ?? 0,
      gid: this.#number('gid', 10) ?? 0,
    }
  }

  #number(name: string, base: 8 | 10): number | undefined {
    const pattern = base === 8 ? /^[0-7]{1,10}$/ : /^\d{1,10}$/
    const parse = (text: string) => (pattern.test(text) ? Number.parseInt(text, base) : undefined)
    return this.#checked(name, parse, (value) => `invalid value ${value} for ${name}`)
  }

  #checked<T>(name: string, parse: (text: string) => T | undefined, refuse: (value: string) => string): T | undefined {
    const value = this.text(name)
    if (value === undefined || (this.#unexpanded && value.includes('$'))) return undefined
    const parsed = parse(value)
    if (parsed === undefined) throw problem(refuse(value))
    return parsed
  }
}

function isMountType(text: string): text is MountType {
  return (mountTypes as readonly string[]).includes(text)
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V }
}

function problem(text: string): ExpansionError {
  return new ExpansionError(text)
}
