import { CliError } from '../../command/cli-error.ts'
import type { Command } from '../../command/command.ts'
import { writeOutput } from '../../command/output-file.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTAINER',
  operands: { min: 1, max: 1 },
  flags: [{ name: 'output', short: 'o', type: 'string', help: 'Write to a file instead of STDOUT' }],
  async run({ client, output }, flags, [container = '']) {
    const path = flags.string('output')
    if (path === '' && output.isTerminal) {
      throw new CliError(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect')
    }
    await writeOutput(path, 'failed to export container', output, () => client.containerFiles.export(container))
    return 0
  },
}
