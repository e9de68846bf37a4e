import type { Command } from '../command/command.ts'
import { inspectObjects } from '../command/inspect-objects.ts'
import { formatFlag } from '../command/list-flags.ts'
import { platformQuery } from './platform-query.ts'

export const command: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  operands: { min: 1 },
  flags: [formatFlag, { name: 'platform', type: 'string', help: 'Platform to show (os[/arch[/variant]])' }],
  async run({ client, output }, flags, names) {
    const options = platformQuery(flags.string('platform'))
    await inspectObjects(
      output,
      names,
      flags.string('format'),
      async (name) => (await client.images.inspect(name, options)).text,
    )
    return 0
  },
}
