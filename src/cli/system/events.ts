import type { EventMessage } from '../../api/index.ts'
import { messageOf } from '../../base/index.ts'
import { GoStruct, GoTemplate, goJson, toGoMaps } from '../../template/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'
import { filterFlag, formatFlag } from '../command/list-flags.ts'
import { parseTimestamp } from '../format/parse-timestamp.ts'
import { rfc3339 } from '../format/times.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [
    filterFlag(),
    { name: 'format', type: 'string', help: formatFlag.help },
    { name: 'since', type: 'string', help: 'Also show earlier events since this time' },
    { name: 'until', type: 'string', help: 'Stop at this time' },
  ],
  async run({ client, output, now }, flags) {
    const format = flags.string('format')
    const template = format === '' || format === 'json' ? undefined : parseTemplate(format)
    const time = (name: string): string => (flags.string(name) === '' ? '' : parseTimestamp(flags.string(name), now()))
    const events = client.system.events({ since: time('since'), until: time('until'), filters: flags.filters() })
    for await (const event of events) {
      const line =
        format === '' ? eventLine(event) : template === undefined ? goJson(eventValue(event)) : execute(template, event)
      output.write(`${line}\n`)
    }
    return 0
  },
}

function parseTemplate(format: string): GoTemplate {
  try {
    return new GoTemplate(format)
  } catch (error) {
    throw new CliError(64, `Error parsing format: ${messageOf(error)}`)
  }
}

function execute(template: GoTemplate, event: EventMessage): string {
  try {
    return template.execute(eventValue(event))
  } catch (error) {
    throw new CliError(64, `Error parsing format: ${messageOf(error)}`, { cause: error })
  }
}

/** Go's field names, which differ from the JSON's in case. */
const goNames: Readonly<Record<string, string>> = {
  Scope: 'scope',
  Time: 'time',
  TimeNano: 'timeNano',
  Status: 'status',
  ID: 'id',
  From: 'from',
}

function eventValue(event: EventMessage): GoStruct {
  const { ID, Attributes } = event.Actor
  const actor = new GoStruct(
    'events.Actor',
    new Map<string, unknown>([
      ['ID', ID],
      ['Attributes', toGoMaps(Attributes)],
    ]),
  )
  const fields = new Map<string, unknown>(Object.entries({ ...event, Actor: actor }))
  return new GoStruct('*events.Message', fields, {
    lookup: (name) => {
      const own = goNames[name]
      return own === undefined ? undefined : { value: fields.get(own) ?? '' }
    },
  })
}

/** An event as a line: `2026-01-02T03:04:05.000000000Z container start 0123… (image=busybox, name=x)`. */
function eventLine({ Type, Action, Actor, time, timeNano }: EventMessage): string {
  const attributes = Object.entries(Actor.Attributes ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
  return `${eventTime(time, timeNano)} ${Type} ${Action} ${Actor.ID}${attributes.length === 0 ? '' : ` (${attributes.join(', ')})`}`
}

function eventTime(time: number, timeNano: bigint | undefined): string {
  const ns = timeNano ?? BigInt(time) * 1_000_000_000n
  const text = rfc3339(new Date(Number(ns / 1_000_000n)))
  return text.replace(/(:\d\d)(Z|[+-]\d\d:\d\d)$/, `$1.${String(ns % 1_000_000_000n).padStart(9, '0')}$2`)
}
