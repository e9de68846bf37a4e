import type { CliContext, Command } from '../command/command.ts'
import { confirm, continueQuestion } from '../command/confirm.ts'
import { forceFlag, pruneFilterFlag, withPruneFilters } from '../command/prune-flags.ts'
import { type Pruned, prunedNames } from '../command/prune-results.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [pruneFilterFlag(), forceFlag],
  async run(context, flags) {
    const { output, settings } = context
    const question = `WARNING! This will remove all custom networks not used by at least one container.\n${continueQuestion}`
    if (!flags.bool('force') && !(await confirm(context, question))) return 0
    const filters = withPruneFilters(flags.filters(), settings.file().pruneFilters)
    const { text } = await pruneNetworks(context, filters)
    if (text !== '') output.write(`${text}\n`)
    return 0
  },
}

/** Removes all networks that no container uses. */
export async function pruneNetworks({ client }: CliContext, filters: Record<string, string[]>): Promise<Pruned> {
  const { NetworksDeleted } = await client.networks.prune({ filters })
  return { text: prunedNames('Networks', NetworksDeleted), reclaimedBytes: 0 }
}
