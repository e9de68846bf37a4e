import type { CliContext, Command } from '../command/command.ts'
import { confirm, continueQuestion } from '../command/confirm.ts'
import { forceFlag, pruneFilterFlag, withPruneFilters } from '../command/prune-flags.ts'
import { type Pruned, prunedImages, totalReclaimed } from '../command/prune-results.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [
    {
      name: 'all',
      short: 'a',
      type: 'bool',
      help: 'Remove all images that no container uses, not just those without a name',
    },
    pruneFilterFlag(),
    forceFlag,
  ],
  async run(context, flags) {
    const { output, settings } = context
    const all = flags.bool('all')
    const which = all ? 'all images without at least one container associated to them' : 'all dangling images'
    const question = `WARNING! This will remove ${which}.\n${continueQuestion}`
    if (!flags.bool('force') && !(await confirm(context, question))) return 0
    const filters = withPruneFilters(flags.filters(), settings.file().pruneFilters)
    const { text, reclaimedBytes } = await pruneImages(context, filters, { all })
    output.write(`${text === '' ? '' : `${text}\n`}${totalReclaimed(reclaimedBytes)}`)
    return 0
  },
}

/** Removes images without a name or, with `all`, all that no container uses. */
export async function pruneImages(
  { client }: CliContext,
  filters: Record<string, string[]>,
  { all }: { readonly all: boolean },
): Promise<Pruned> {
  const { ImagesDeleted, SpaceReclaimed } = await client.images.prune({
    filters: { ...filters, dangling: [String(!all)] },
  })
  return { text: prunedImages(ImagesDeleted), reclaimedBytes: SpaceReclaimed }
}
