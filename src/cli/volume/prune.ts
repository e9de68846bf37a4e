import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'
import { confirm, continueQuestion } from '../command/confirm.ts'
import { forceFlag, pruneFilterFlag } from '../command/prune-flags.ts'
import { prunedNames, totalReclaimed } from '../command/prune-results.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [
    { name: 'all', short: 'a', type: 'bool', help: 'Also remove named volumes' },
    pruneFilterFlag('label=<label>'),
    forceFlag,
  ],
  async run(context, flags) {
    const { client, output } = context
    const all = flags.bool('all')
    const filters = flags.filters()
    if (all && filters.all !== undefined)
      throw new CliError(1, 'conflicting options: cannot specify both --all and --filter all=1')
    const which = all ? 'all' : 'anonymous'
    const question = `WARNING! This will remove ${which} local volumes not used by at least one container.\n${continueQuestion}`
    if (!flags.bool('force') && !(await confirm(context, question))) return 0
    const result = await client.volumes.prune({ filters: all ? { ...filters, all: ['true'] } : filters })
    const text = prunedNames('Volumes', result.VolumesDeleted)
    output.write(`${text === '' ? '' : `${text}\n`}${totalReclaimed(result.SpaceReclaimed)}`)
    return 0
  },
}
