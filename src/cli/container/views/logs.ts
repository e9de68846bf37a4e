import { invalidArgument, messageOf } from '../../../base/index.ts'
import type { CliContext, Command } from '../../command/command.ts'
import type { FlagValues } from '../../flags/flag-values.ts'
import { parseTimestamp } from '../../format/parse-timestamp.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTAINER',
  operands: { min: 1, max: 1 },
  flags: [
    { name: 'details', type: 'bool', help: 'Show the attributes that the log driver adds' },
    { name: 'follow', short: 'f', type: 'bool', help: 'Follow new output' },
    {
      name: 'since',
      type: 'string',
      help: 'Show only lines since this time ("2013-01-02T13:23:37Z", or "42m" for 42 minutes ago)',
    },
    { name: 'tail', short: 'n', type: 'string', help: 'Number of lines from the end', shownDefault: 'all' },
    { name: 'timestamps', short: 't', type: 'bool', help: 'Show the time of each line' },
    {
      name: 'until',
      type: 'string',
      help: 'Show only lines before this time ("2013-01-02T13:23:37Z", or "42m" for 42 minutes ago)',
    },
  ],
  async run(context, flags, [name = '']) {
    const { client, output, errors } = context
    const since = timestamp(context, flags, 'since')
    const until = timestamp(context, flags, 'until')
    const { value: container } = await client.containers.inspect(name)
    const options = {
      stdout: true,
      stderr: true,
      follow: flags.bool('follow'),
      timestamps: flags.bool('timestamps'),
      details: flags.bool('details'),
      tail: flags.string('tail', 'all'),
      tty: container.Config.Tty === true,
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
    }
    await client.containerIo.logs(container.Id, options, (stream, chunk) => {
      ;(stream === 'stderr' ? errors : output).write(chunk)
    })
    return 0
  },
}

function timestamp(context: CliContext, flags: FlagValues, name: string): string | undefined {
  const text = flags.string(name)
  if (text === '') return undefined
  try {
    return parseTimestamp(text, context.now())
  } catch (error) {
    throw invalidArgument(`invalid value for "${name}": ${messageOf(error)}`, { cause: error })
  }
}
