/** Parses values of log options. Errors have the texts of Go's parsers. */
import { invalidArgument, isKind } from '../../base/index.ts'
import { parseBytes } from '../../config/index.ts'

/** A size such as `1m` or `512k` in bytes. Throws `invalidArgument`. */
export function sizeOption(text: string): number {
  try {
    return parseBytes(text, '')
  } catch (cause) {
    if (!isKind(cause, 'invalidArgument')) throw cause
    throw invalidArgument(`invalid size: '${text}'`, { cause })
  }
}

/** A boolean, as Go's `ParseBool` accepts. Throws `invalidArgument`. */
export function flagOption(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false
  throw invalidArgument(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
}

/** An integer from 0 to 2^32 - 1. Throws `invalidArgument`. */
export function countOption(text: string): number {
  if (!/^\d+$/.test(text)) {
    throw invalidArgument(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  if (Number(text) > 0xffff_ffff) {
    throw invalidArgument(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`)
  }
  return Number(text)
}

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** A duration such as `1m30s`, in milliseconds. Throws `invalidArgument`. */
export function durationOption(text: string): number {
  if (text === '0') return 0
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)/.test(text)) throw invalidArgument(`time: invalid duration ${JSON.stringify(text)}`)
  const parts = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/.exec(text)
  if (parts === null) {
    const why = /\d$/.test(text) ? 'missing unit in duration' : 'invalid duration'
    throw invalidArgument(`time: ${why} ${JSON.stringify(text)}`)
  }
  let ms = 0
  for (const [, count = '', unit = ''] of (parts[2] ?? '').matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) {
    ms += Number(count) * (unitMs[unit] ?? 0)
  }
  return parts[1] === '-' ? -ms : ms
}
