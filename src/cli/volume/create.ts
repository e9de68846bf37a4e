import { CliError } from '../cli-error.ts'
import type { Command } from '../command.ts'

export const command: Command = {
  usage: '[OPTIONS] [VOLUME]',
  operands: { min: 0, max: 1 },
  flags: [
    { name: 'driver', short: 'd', type: 'string', help: 'Driver of the volume', shownDefault: 'local' },
    { name: 'label', type: 'list', help: 'Label (NAME=VALUE)' },
    { name: 'name', type: 'string', help: 'Name of the volume', hidden: true },
    { name: 'opt', short: 'o', type: 'map', help: 'Option of the driver', shownDefault: 'map[]' },
  ],
  async run({ client, output }, flags, [operand]) {
    if (operand !== undefined && flags.has('name')) {
      throw new CliError(
        1,
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
      )
    }
    const volume = await client.volumes.create({
      Name: operand ?? flags.string('name'),
      Driver: flags.string('driver', 'local'),
      DriverOpts: flags.pairs('opt'),
      Labels: flags.pairs('label'),
    })
    output.write(`${volume.Name}\n`)
    return 0
  },
}
