/** Flags of commands, with pflag's kinds of values. */
import { invalidArgument } from '../../base/index.ts'
import { parseBinarySize, parseDurationNs } from '../format/units.ts'

/** The kind of a flag's value. `--help` shows this word behind the flag's name (`bool` is not shown). */
export type FlagType =
  | 'bool'
  | 'string'
  | 'int'
  | 'uint'
  | 'uint16'
  | 'bytes'
  | 'decimal'
  | 'duration'
  | 'list'
  | 'strings'
  | 'map'
  | 'stringToString'
  | 'filter'
  | 'mount'
  | 'network'
  | 'ulimit'
  | 'gpu-request'

/** One flag of a command. */
export interface Flag {
  readonly name: string
  readonly short?: string
  readonly type: FlagType
  readonly help: string
  /** The default as `--help` shows it: strings in quotes, others bare. */
  readonly shownDefault?: string
  /** A boolean whose default is true. */
  readonly defaultTrue?: boolean
  /** True for a flag that `--help` does not list. */
  readonly hidden?: boolean
  /** Checks the value, and gives the one to keep. Throws for a malformed value. */
  readonly check?: (value: string) => string
}

const repeatable: ReadonlySet<FlagType> = new Set([
  'list',
  'strings',
  'map',
  'stringToString',
  'filter',
  'mount',
  'network',
  'ulimit',
  'gpu-request',
])

/** True when the flag may be given several times and all values count. */
export function isRepeatable(type: FlagType): boolean {
  return repeatable.has(type)
}

/** Checks a value against the flag's type. Throws with Go's text. */
export function checkFlagValue(flag: Flag, value: string): string {
  if (flag.check !== undefined) return flag.check(value)
  switch (flag.type) {
    case 'bool':
      parseBool(value)
      return value
    case 'int':
      return String(parseInteger(value, 'ParseInt', -(2n ** 63n), 2n ** 63n - 1n))
    case 'uint':
      return String(parseInteger(value, 'ParseUint', 0n, 2n ** 64n - 1n))
    case 'uint16':
      return String(parseInteger(value, 'ParseUint', 0n, 65535n))
    case 'bytes':
      // "-1" means "no limit".
      return value === '-1' && flag.name === 'memory-swap' ? value : String(parseBinarySize(value))
    case 'duration':
      return String(parseDurationNs(value))
    case 'decimal':
      return parseDecimal(value)
    case 'filter':
      return parseFilter(value)
    default:
      return value
  }
}

/** Parses the words that Go accepts as booleans. */
export function parseBool(value: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false
  throw invalidArgument(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`)
}

function parseInteger(value: string, name: string, minimum: bigint, maximum: bigint): bigint {
  const quoted = JSON.stringify(value)
  const signed = minimum < 0n
  if (
    !(signed ? /^[+-]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|\d+)$/ : /^(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)$/).test(
      value,
    )
  ) {
    throw invalidArgument(`strconv.${name}: parsing ${quoted}: invalid syntax`)
  }
  const digits = value.replace(/^[+-]/, '').replace(/^0(?=[0-7]+$)/, '0o')
  const number = value.startsWith('-') ? -BigInt(digits) : BigInt(digits)
  if (number < minimum || number > maximum)
    throw invalidArgument(`strconv.${name}: parsing ${quoted}: value out of range`)
  return number
}

/** Turns a number of CPUs into billionths. */
function parseDecimal(value: string): string {
  const match = /^(\d+(?:\.\d*)?|\.\d+)$/.exec(value)
  if (match === null) throw invalidArgument(`failed to parse ${value} as a rational number`)
  const [whole = '', fraction = ''] = value.split('.')
  if (fraction.replace(/0+$/, '').length > 9) throw invalidArgument('value is too precise')
  return String(BigInt(whole || '0') * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0')))
}

function parseFilter(value: string): string {
  const equals = value.indexOf('=')
  if (equals === -1) throw invalidArgument('bad format of filter (expected name=value)')
  return `${value.slice(0, equals).trim().toLowerCase()}=${value.slice(equals + 1).trim()}`
}
