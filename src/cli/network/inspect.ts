import type { Command } from '../command/command.ts'
import { inspectObjects } from '../command/inspect-objects.ts'
import { formatFlag } from '../command/list-flags.ts'

export const command: Command = {
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  operands: { min: 1 },
  flags: [formatFlag, { name: 'verbose', short: 'v', type: 'bool', help: 'Verbose output for diagnostics' }],
  async run({ client, output }, flags, names) {
    await inspectObjects(
      output,
      names,
      flags.string('format'),
      async (name) => (await client.networks.inspect(name, { verbose: flags.bool('verbose') })).text,
    )
    return 0
  },
}
