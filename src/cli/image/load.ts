import { throwProgressError } from '../../client/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext, Command } from '../command/command.ts'
import { readInputFile } from '../command/input-file.ts'
import { ProgressDisplay } from '../terminal/progress-display.ts'
import { platformQuery } from './platform-query.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [
    { name: 'input', short: 'i', type: 'string', help: 'Read from an archive instead of STDIN' },
    { name: 'platform', type: 'string', help: 'Load only this platform (os[/arch[/variant]])' },
    { name: 'quiet', short: 'q', type: 'bool', help: 'Do not show the progress' },
  ],
  async run(context, flags) {
    const quiet = flags.bool('quiet') || !context.output.isTerminal
    const archive = openArchive(context, flags.string('input'))
    const options = { quiet, ...platformQuery(flags.string('platform'), 'invalid platform: ') }
    const display = new ProgressDisplay(context.output)
    for await (const message of context.client.images.load(archive, options)) {
      throwProgressError(message)
      display.show(message)
    }
    return 0
  },
}

function openArchive({ input }: CliContext, path: string): AsyncIterable<Buffer> {
  if (path !== '') return readInputFile(path)
  if (input.isTerminal) throw new CliError(1, 'requested load from stdin, but stdin is empty')
  return input.chunks()
}
