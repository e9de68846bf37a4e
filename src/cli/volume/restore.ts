import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'
import { readInputFile } from '../command/input-file.ts'

export const command: Command = {
  usage: '[OPTIONS] VOLUME FILE|-',
  operands: { min: 2, max: 2 },
  flags: [
    { name: 'force', short: 'f', type: 'bool', help: 'Replace the contents of a volume that is not empty' },
    {
      name: 'pause',
      short: 'p',
      type: 'bool',
      help: 'Pause the containers that use the volume during the restore',
      defaultTrue: true,
    },
  ],
  async run({ client, input, output }, flags, [name = '', file = '']) {
    if (file === '-' && input.isTerminal) {
      throw new CliError(1, 'requested restore from stdin, but stdin is a terminal')
    }
    const archive = file === '-' ? input.chunks() : readInputFile(file)
    const options = { force: flags.bool('force'), pause: flags.bool('pause') }
    const { Name } = await client.volumes.restore(name, archive, options)
    output.write(`${Name}\n`)
    return 0
  },
}
