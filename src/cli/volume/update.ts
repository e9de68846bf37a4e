import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'

export const command: Command = {
  usage: '[OPTIONS] [VOLUME]',
  operands: { min: 1, max: 1 },
  flags: [
    {
      name: 'availability',
      type: 'string',
      help: "Availability of a swarm's cluster volume",
      shownDefault: 'active',
    },
  ],
  async run({ client }, _flags, [name = '']) {
    await client.volumes.inspect(name)
    throw new CliError(1, 'can only update cluster volumes')
  },
}
