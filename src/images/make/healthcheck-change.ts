/** The HEALTHCHECK instruction. https://docs.docker.com/reference/dockerfile/#healthcheck */
import { invalidArgument } from '../../base/index.ts'
import type { OciHealthcheck } from '../../oci/index.ts'

const durations = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
} as const

const optionPattern = /^--([^\s=]+)(?:=(\S*))?(?:\s+|$)/
const shortestNs = 1e6

/** Parses the text after HEALTHCHECK. `arrayOf` parses the JSON form of a command. Throws `invalidArgument` with
 *  Docker's texts. */
export function parseHealthcheck(text: string, arrayOf: (text: string) => string[] | undefined): OciHealthcheck {
  const check: { -readonly [K in keyof OciHealthcheck]: OciHealthcheck[K] } = {}
  let rest = text
  for (let match = optionPattern.exec(rest); match !== null; match = optionPattern.exec(rest)) {
    const [whole, name = '', value = ''] = match
    rest = rest.slice(whole.length)
    if (name === 'retries') check.Retries = retriesOf(value)
    else if (Object.hasOwn(durations, name)) {
      const key = durations[name as keyof typeof durations]
      check[key] = durationOf(name, value)
    } else throw invalidArgument(`unknown flag: --${name}`)
  }
  const [, type = '', command = ''] = /^(\S*)\s*([\s\S]*)$/.exec(rest) ?? []
  if (type.toUpperCase() === 'NONE') {
    if (command !== '') throw invalidArgument('HEALTHCHECK NONE takes no arguments')
    return { Test: ['NONE'] }
  }
  if (type === '') throw invalidArgument('Missing command after HEALTHCHECK')
  if (type.toUpperCase() !== 'CMD') {
    throw invalidArgument(`Unknown type "${type.toUpperCase()}" in HEALTHCHECK (try CMD)`)
  }
  const list = arrayOf(command)
  if (command === '' || list?.length === 0) throw invalidArgument('Missing command after HEALTHCHECK CMD')
  return { Test: list === undefined ? ['CMD-SHELL', command] : ['CMD', ...list], ...check }
}

function retriesOf(text: string): number {
  if (!/^-?\d+$/.test(text)) throw invalidArgument(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  const retries = Number(text)
  if (retries < 0) throw invalidArgument(`--retries cannot be negative (${retries})`)
  return retries
}

function durationOf(name: string, text: string): number {
  const ns = nanoseconds(text)
  if (ns < 0 || (ns > 0 && ns < shortestNs))
    throw invalidArgument(`Interval ${JSON.stringify(name)} cannot be less than 1ms`)
  return ns
}

/** A Go duration (`1m30s`, `1.5h`) in nanoseconds. */
function nanoseconds(text: string): number {
  const units: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 }
  if (text === '0') return 0
  if (!/^[-+]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text)) {
    throw invalidArgument(`time: invalid duration ${JSON.stringify(text)}`)
  }
  let total = 0
  for (const [, amount, unit = ''] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(amount) * (units[unit] ?? 0)
  }
  return text.startsWith('-') ? -total : Math.round(total)
}
