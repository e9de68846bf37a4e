import type { Command } from '../command/command.ts'
import { confirm, continueQuestion } from '../command/confirm.ts'
import { forceFlag, withPruneFilters } from '../command/prune-flags.ts'
import { prunedNames, totalReclaimed } from '../command/prune-results.ts'

export const command: Command = {
  usage: '',
  operands: { min: 0, max: 0 },
  flags: [
    {
      name: 'all',
      short: 'a',
      type: 'bool',
      help: 'Remove everything that no build uses, not just what no image uses',
    },
    { name: 'filter', type: 'filter', help: 'Filter (e.g. "until=24h")' },
    forceFlag,
    { name: 'keep-storage', type: 'bytes', help: 'Older name of --reserved-space' },
    { name: 'reserved-space', type: 'bytes', help: 'Space that the cache may always keep' },
    { name: 'max-used-space', type: 'bytes', help: 'Maximum space of the cache' },
    { name: 'min-free-space', type: 'bytes', help: 'Target free space on the disk' },
  ],
  async run(context, flags) {
    const { client, output, settings } = context
    const all = flags.bool('all')
    const question = `WARNING! This will remove ${all ? 'all build cache' : 'all dangling build cache'}. ${continueQuestion}`
    if (!flags.bool('force') && !(await confirm(context, question))) return 0
    const bytes = (...names: readonly string[]) => {
      const given = names.find((name) => flags.has(name))
      return given === undefined ? undefined : flags.number(given)
    }
    const { CachesDeleted, SpaceReclaimed } = await client.builds.pruneCache({
      all,
      filters: withPruneFilters(flags.filters(), settings.file().pruneFilters),
      reservedSpaceBytes: bytes('reserved-space', 'keep-storage'),
      maxUsedSpaceBytes: bytes('max-used-space'),
      minFreeSpaceBytes: bytes('min-free-space'),
    })
    const deleted = prunedNames('build cache objects', CachesDeleted)
    output.write(`${deleted === '' ? '' : `${deleted}\n`}${totalReclaimed(SpaceReclaimed)}`)
    return 0
  },
}
