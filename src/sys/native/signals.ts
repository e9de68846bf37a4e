/** Names and numbers of Linux signals. */

import { constants } from 'node:os'
import { invalidArgument } from '../../base/index.ts'

const realTimeMin = 34
const realTimeMax = 64

const numberByName = new Map<string, number>(
  Object.entries(constants.signals).map(([name, value]) => [name.slice('SIG'.length), value]),
)

/** The number of a signal that a user named: 'SIGTERM', 'term', '15', 'RTMIN+3'. Throws `invalidArgument` with Docker's
 *  message for anything else. signal(7) */
export function parseSignal(text: string): number {
  const trimmed = text.trim()
  if (/^\d+$/.test(trimmed)) {
    const value = Number(trimmed)
    if (value >= 1 && value <= realTimeMax) return value
    throw invalidArgument(value === 0 ? `invalid signal: ${text}` : `the linux daemon does not support signal ${value}`)
  }
  const name = trimmed.toUpperCase().replace(/^SIG/, '')
  const value = numberByName.get(name) ?? realTimeNumber(name)
  if (value === undefined) throw invalidArgument(`invalid signal: ${text}`)
  return value
}

function realTimeNumber(name: string): number | undefined {
  const match = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name)
  if (match === null) return undefined
  const [, base, sign, offset = '0'] = match
  const value = base === 'MIN' ? realTimeMin + Number(offset) : realTimeMax - Number(offset)
  const direction = base === 'MIN' ? '+' : '-'
  if ((sign !== undefined && sign !== direction) || value < realTimeMin || value > realTimeMax) return undefined
  return value
}
