import { CliError } from '../command/cli-error.ts'
import type { CliContext, Command } from '../command/command.ts'
import { confirm, continueQuestion } from '../command/confirm.ts'
import { forceFlag, pruneFilterFlag, withPruneFilters } from '../command/prune-flags.ts'
import { type Pruned, prunedNames, totalReclaimed } from '../command/prune-results.ts'
import { pruneContainers } from '../container/lifecycle/prune.ts'
import { pruneImages } from '../image/prune.ts'
import { pruneNetworks } from '../network/prune.ts'

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
    pruneFilterFlag('label=<key>=<value>'),
    forceFlag,
    { name: 'volumes', type: 'bool', help: 'Also remove anonymous volumes' },
  ],
  async run(context, flags) {
    const { output, settings } = context
    const [all, volumes] = [flags.bool('all'), flags.bool('volumes')]
    const filters = withPruneFilters(flags.filters(), settings.file().pruneFilters)
    if (volumes && filters.until !== undefined) {
      throw new CliError(1, 'ERROR: The "until" filter is not supported with "--volumes"')
    }
    if (!flags.bool('force') && !(await confirm(context, warning(flags.filters(), { all, volumes })))) return 0
    let reclaimedBytes = 0
    for (const prune of steps(context, filters, { all, volumes })) {
      const pruned = await prune()
      reclaimedBytes += pruned.reclaimedBytes
      if (pruned.text !== '') output.write(`${pruned.text}\n`)
    }
    output.write(totalReclaimed(reclaimedBytes))
    return 0
  },
}

interface Extent {
  readonly all: boolean
  readonly volumes: boolean
}

/** The steps of the prune. Containers come first, because they may use the other objects. */
function steps(
  context: CliContext,
  filters: Record<string, string[]>,
  { all, volumes }: Extent,
): (() => Promise<Pruned>)[] {
  const { client } = context
  const pruneVolumes = async (): Promise<Pruned> => {
    const { VolumesDeleted, SpaceReclaimed } = await client.volumes.prune({ filters })
    return { text: prunedNames('Volumes', VolumesDeleted), reclaimedBytes: SpaceReclaimed }
  }
  const pruneBuildCache = async (): Promise<Pruned> => {
    const { CachesDeleted, SpaceReclaimed } = await client.builds.pruneCache({ all, filters })
    return { text: prunedNames('build cache objects', CachesDeleted), reclaimedBytes: SpaceReclaimed }
  }
  return [
    () => pruneContainers(context, filters),
    () => pruneNetworks(context, filters),
    ...(volumes ? [pruneVolumes] : []),
    () => pruneImages(context, filters, { all }),
    pruneBuildCache,
  ]
}

function warning(filters: Record<string, string[]>, { all, volumes }: Extent): string {
  const removed = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
    all ? 'all images without at least one container associated to them' : 'all dangling images',
    all ? 'all build cache' : 'unused build cache',
  ]
  const conditions = Object.entries(filters)
    .flatMap(([name, values]) => values.map((value) => `${name}=${value}`))
    .sort()
  const listed = (lines: readonly string[]) => lines.map((line) => `  - ${line}\n`).join('')
  const filtered = conditions.length === 0 ? '' : `\n  Items to be pruned will be filtered with:\n${listed(conditions)}`
  return `WARNING! This will remove:\n${listed(removed)}${filtered}\n${continueQuestion}`
}
