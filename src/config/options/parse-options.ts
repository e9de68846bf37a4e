/** Reads flags and daemon.json into raw values, by option name. As in dockerd, unknown names, wrong types, and an
 *  option that is set in both places are refused. */
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { type BerthError, invalidArgument, messageOf } from '../../base/index.ts'
import type { DaemonOption } from './daemon-option.ts'
import { type DaemonOptionName, daemonOptions } from './daemon-options.ts'

/** The value of an option before it is checked. Its type fits the option's kind. */
export type RawValue =
  | string
  | boolean
  | number
  | readonly string[]
  | Readonly<Record<string, unknown>>
  | readonly Readonly<Record<string, unknown>>[]
/** The values that are set, by option name. */
export type RawValues = Partial<Record<DaemonOptionName, RawValue>>

const entries = Object.entries(daemonOptions) as [DaemonOptionName, DaemonOption][]

/** Parses the command line. Throws `invalidArgument` with the wrong flag, value or argument. */
export function parseFlags(args: readonly string[]): RawValues {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {}
  for (const [, option] of entries) {
    if (option.flag === undefined) continue
    options[option.flag] = {
      type: option.kind === 'boolean' ? 'boolean' : 'string',
      ...(option.short === undefined ? {} : { short: option.short }),
    }
  }
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  const values: Record<string, RawValue> = {}
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') throw invalidArgument(`berthd takes no arguments: ${token.value}`)
    const entry = entries.find(([, option]) => option.flag === token.name)
    if (entry === undefined) throw invalidArgument(`unknown flag: ${token.rawName}`)
    const [name, option] = entry
    values[name] = flagValue(option, token.rawName, token.value, values[name])
  }
  return values
}

function flagValue(
  option: DaemonOption,
  raw: string,
  text: string | undefined,
  previous: RawValue | undefined,
): RawValue {
  if (option.kind === 'boolean') {
    if (text === undefined || text === 'true' || text === '1') return true
    if (text === 'false' || text === '0') return false
    throw invalidArgument(`invalid argument "${text}" for "${raw}" flag: not a boolean`)
  }
  if (text === undefined) throw invalidArgument(`flag needs an argument: ${raw}`)
  if (option.kind === 'number')
    return numberOf(text, `invalid argument "${text}" for "${raw}" flag: not a whole number`)
  if (option.kind === 'list') return [...((previous as readonly string[] | undefined) ?? []), text]
  return text
}

function numberOf(text: string, message: string): number {
  if (!/^\d+$/.test(text)) throw invalidArgument(message)
  return Number(text)
}

/** Parses the text of daemon.json. `path` is for messages. Throws `invalidArgument` with an unknown key or a wrong
 *  type. */
export function parseConfigFile(text: string, path: string): RawValues {
  let document: unknown
  try {
    document = text.trim() === '' ? {} : JSON.parse(text)
  } catch (cause) {
    throw invalidArgument(`${path}: ${messageOf(cause)}`, { cause })
  }
  return parseSettings(document, path)
}

/** Like `parseConfigFile`, from a parsed document. */
export function parseSettings(document: unknown, path: string): RawValues {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw invalidArgument(`${path}: not a JSON object`)
  }
  const values: Record<string, RawValue> = {}
  const unknown: string[] = []
  for (const [key, value] of Object.entries(document)) {
    const entry = entries.find(([, option]) => option.key === key)
    if (entry === undefined) unknown.push(key)
    else values[entry[0]] = fileValue(entry[1], key, value, path)
  }
  if (unknown.length > 0) {
    throw invalidArgument(
      `${path}: the following directives don't match any configuration option: ${unknown.join(', ')}`,
    )
  }
  return values
}

function fileValue(option: DaemonOption, key: string, value: unknown, path: string): RawValue {
  const wrong = (expected: string): BerthError => invalidArgument(`${path}: "${key}" must be ${expected}`)
  switch (option.kind) {
    case 'string':
      if (typeof value !== 'string') throw wrong('a string')
      return value
    case 'boolean':
      if (typeof value !== 'boolean') throw wrong('true or false')
      return value
    case 'number':
      if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw wrong('a whole number')
      return value
    case 'list':
      if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) throw wrong('a list of strings')
      return value as string[]
    case 'map':
      if (!isObject(value) || Object.values(value).some((item) => typeof item !== 'string')) {
        throw wrong('an object with string values')
      }
      return value
    case 'object':
      if (!isObject(value)) throw wrong('an object')
      return value
    case 'objects':
      if (!Array.isArray(value) || !value.every(isObject)) throw wrong('a list of objects')
      return value
    default:
      return option.kind satisfies never
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Combines flags and file. Throws `invalidArgument` when both set the same option. */
export function mergeValues(flags: RawValues, file: RawValues, path: string): RawValues {
  const twice = Object.keys(file).filter((name) => name in flags) as DaemonOptionName[]
  if (twice.length > 0) {
    const list = twice.map((name) => {
      const key = (daemonOptions[name] as DaemonOption).key ?? name
      return `${key}: (from flag: ${JSON.stringify(flags[name])}, from file: ${JSON.stringify(file[name])})`
    })
    throw invalidArgument(
      `unable to configure the daemon with file ${path}: the following directives are specified both as a flag and in the configuration file: ${list.join(', ')}`,
    )
  }
  return { ...file, ...flags }
}

/** Takes new values for options that can change without a restart, and old values for the others. `kept` has the names,
 *  as in daemon.json, of the others whose value in the file has changed. */
export function mergeReloadable(
  old: RawValues,
  wanted: RawValues,
): { readonly raw: RawValues; readonly kept: readonly string[] } {
  const raw: RawValues = {}
  const kept: string[] = []
  for (const [name, option] of entries) {
    const value = option.reloadable === true ? wanted[name] : old[name]
    if (value !== undefined) raw[name] = value
    const isKept = option.reloadable !== true && !isDeepStrictEqual(old[name], wanted[name])
    if (isKept) kept.push(option.key ?? name)
  }
  return { raw, kept }
}
