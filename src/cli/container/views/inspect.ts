import type { Command } from '../../command/command.ts'
import { inspectObjects } from '../../command/inspect-objects.ts'
import { formatFlag } from '../../command/list-flags.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  operands: { min: 1 },
  flags: [formatFlag, { name: 'size', short: 's', type: 'bool', help: 'Sizes on disk' }],
  async run({ client, output }, flags, names) {
    await inspectObjects(
      output,
      names,
      flags.string('format'),
      async (name) => (await client.containers.inspect(name, { size: flags.bool('size') })).text,
    )
    return 0
  },
}
