import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'
import { writeOutput } from '../command/output-file.ts'
import { platformQuery } from './platform-query.ts'

export const command: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  operands: { min: 1 },
  flags: [
    { name: 'output', short: 'o', type: 'string', help: 'Write to a file instead of STDOUT' },
    { name: 'platform', type: 'string', help: 'Save only this platform (os[/arch[/variant]])' },
  ],
  async run({ client, output }, flags, names) {
    const path = flags.string('output')
    if (path === '' && output.isTerminal) {
      throw new CliError(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect')
    }
    const options = platformQuery(flags.string('platform'), 'invalid platform: ')
    await writeOutput(path, 'failed to save image', output, () => client.images.save(names, options))
    return 0
  },
}
