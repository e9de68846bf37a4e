import type { CliContext, Command } from '../../command/command.ts'
import { confirm, continueQuestion } from '../../command/confirm.ts'
import { forceFlag, pruneFilterFlag, withPruneFilters } from '../../command/prune-flags.ts'
import { type Pruned, prunedNames, totalReclaimed } from '../../command/prune-results.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [pruneFilterFlag(), forceFlag],
  async run(context, flags) {
    const { output, settings } = context
    const question = `WARNING! This will remove all stopped containers.\n${continueQuestion}`
    if (!flags.bool('force') && !(await confirm(context, question))) return 0
    const filters = withPruneFilters(flags.filters(), settings.file().pruneFilters)
    const { text, reclaimedBytes } = await pruneContainers(context, filters)
    output.write(`${text === '' ? '' : `${text}\n`}${totalReclaimed(reclaimedBytes)}`)
    return 0
  },
}

/** Removes all containers that do not run. */
export async function pruneContainers({ client }: CliContext, filters: Record<string, string[]>): Promise<Pruned> {
  const { ContainersDeleted, SpaceReclaimed } = await client.containers.prune({ filters })
  return { text: prunedNames('Containers', ContainersDeleted), reclaimedBytes: SpaceReclaimed }
}
