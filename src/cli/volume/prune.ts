import { CliError } from '../cli-error.ts'
import type { CliContext, Command } from '../command.ts'
import { humanSize } from '../format/units.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [
    { name: 'all', short: 'a', type: 'bool', help: 'Volumes with a name as well' },
    { name: 'filter', type: 'filter', help: 'Only those that meet a condition (e.g. "label=<label>")' },
    { name: 'force', short: 'f', type: 'bool', help: 'Do not ask' },
  ],
  async run(context, flags) {
    const { client, output } = context
    const all = flags.bool('all')
    const filters = flags.filters()
    if (all && filters.all !== undefined)
      throw new CliError(1, 'conflicting options: cannot specify both --all and --filter all=1')
    const which = all ? 'all' : 'anonymous'
    const question = `WARNING! This will remove ${which} local volumes not used by at least one container.\nAre you sure you want to continue?`
    if (!flags.bool('force') && !(await confirm(context, question))) return 0
    const result = await client.volumes.prune({ filters: all ? { ...filters, all: ['true'] } : filters })
    const deleted = result.VolumesDeleted ?? []
    if (deleted.length > 0) output.write(`Deleted Volumes:\n${deleted.join('\n')}\n\n`)
    output.write(`Total reclaimed space: ${humanSize(result.SpaceReclaimed, 4)}\n`)
    return 0
  },
}

async function confirm({ input, output }: CliContext, question: string): Promise<boolean> {
  output.write(`${question} [y/N] `)
  let answer = ''
  for await (const chunk of input.chunks()) {
    answer += chunk.toString('utf8')
    if (answer.includes('\n')) break
  }
  return answer.split('\n')[0]?.trim().toLowerCase() === 'y'
}
