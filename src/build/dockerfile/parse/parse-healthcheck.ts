/** HEALTHCHECK. https://docs.docker.com/reference/dockerfile/#healthcheck */

import type { HealthcheckInstruction } from '../instructions/instruction.ts'
import { parseDuration } from '../text/duration.ts'
import { didYouMean } from '../text/suggest.ts'
import type { Word } from '../text/words.ts'
import type { ParseContext } from './parse-context.ts'

/** Parses HEALTHCHECK. Throws `DockerfileError`. */
export function parseHealthcheck(context: ParseContext): HealthcheckInstruction {
  const [, type = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(context.args) ?? []
  if (type === '') throw context.error('HEALTHCHECK requires at least one argument', 0)
  if (type.toUpperCase() === 'NONE') {
    if (rest !== '') throw context.error('HEALTHCHECK NONE takes no arguments')
    return { kind: 'HEALTHCHECK', ...context.base }
  }
  if (type.toUpperCase() !== 'CMD') {
    throw context.error(
      `Unknown type ${JSON.stringify(type.toUpperCase())} in HEALTHCHECK (try CMD)${didYouMean(type, ['CMD', 'NONE'])}`,
    )
  }
  const flags = context.flags({
    interval: 'text',
    timeout: 'text',
    'start-period': 'text',
    'start-interval': 'text',
    retries: 'text',
  })
  const command = context.command(rest)
  const isEmpty = command.form === 'exec' ? command.args.length === 0 : command.text === ''
  if (isEmpty) throw context.error('Missing command after HEALTHCHECK CMD')
  const durations = {
    intervalNs: durationOf(context, 'interval', flags.text('interval')),
    timeoutNs: durationOf(context, 'timeout', flags.text('timeout')),
    startPeriodNs: durationOf(context, 'start-period', flags.text('start-period')),
    startIntervalNs: durationOf(context, 'start-interval', flags.text('start-interval')),
    retries: retriesOf(context, flags.text('retries')),
  }
  const given = Object.entries(durations).filter(([, value]) => value !== undefined)
  return { kind: 'HEALTHCHECK', ...context.base, command, ...Object.fromEntries(given) }
}

/** Docker refuses durations shorter than a millisecond, except zero, which means "the default". */
function durationOf(context: ParseContext, name: string, word: Word | undefined): number | undefined {
  if (word === undefined || word.text === '') return undefined
  const duration = parseDuration(word.text)
  if (typeof duration === 'string') throw context.error(duration, word.offset)
  if (duration === 0) return undefined
  if (duration < 1e6) throw context.error(`Interval "${name}" cannot be less than 1ms`, word.offset)
  return duration
}

function retriesOf(context: ParseContext, word: Word | undefined): number | undefined {
  if (word === undefined || word.text === '') return undefined
  if (!/^[-+]?\d{1,10}$/.test(word.text)) {
    throw context.error(`strconv.ParseInt: parsing ${JSON.stringify(word.text)}: invalid syntax`, word.offset)
  }
  const retries = Number(word.text)
  if (retries < 0) throw context.error(`--retries cannot be negative (${retries})`, word.offset)
  return retries === 0 ? undefined : retries
}
