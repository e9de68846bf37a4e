import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'
import { writeOutput } from '../command/output-file.ts'

const compressions = ['zstd', 'gzip', 'none'] as const

export const command: Command = {
  usage: '[OPTIONS] VOLUME FILE|-',
  operands: { min: 2, max: 2 },
  flags: [
    {
      name: 'compress',
      type: 'string',
      help: 'Compression of the archive ("zstd", "gzip", "none")',
      shownDefault: 'zstd',
    },
    {
      name: 'pause',
      short: 'p',
      type: 'bool',
      help: 'Pause the containers that use the volume during the backup',
      defaultTrue: true,
    },
  ],
  async run({ client, output }, flags, [name = '', file = '']) {
    const wanted = flags.string('compress', 'zstd')
    const compression = compressions.find((one) => one === wanted)
    if (compression === undefined) {
      throw new CliError(1, `invalid value for --compress: ${wanted} (must be "zstd", "gzip", or "none")`)
    }
    if (file === '-' && output.isTerminal) {
      throw new CliError(1, 'cowardly refusing to write an archive to a terminal. Name a file or redirect')
    }
    const open = () => client.volumes.backup(name, { compression, pause: flags.bool('pause') })
    await writeOutput(file === '-' ? '' : file, 'failed to back up volume', output, open)
    return 0
  },
}
