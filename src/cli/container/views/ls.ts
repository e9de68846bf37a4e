import type { Command } from '../../command/command.ts'
import { filterFlag, tableFormatFlag } from '../../command/list-flags.ts'
import { formatList, usedFields } from '../../format/list-formatter.ts'
import { containerFormat, containerLayout } from './container-layout.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [
    { name: 'all', short: 'a', type: 'bool', help: 'Also show containers that do not run' },
    filterFlag(),
    tableFormatFlag,
    {
      name: 'last',
      short: 'n',
      type: 'int',
      help: 'Show the N containers created last, running or not',
      shownDefault: '-1',
    },
    { name: 'latest', short: 'l', type: 'bool', help: 'Show the container created last, running or not' },
    { name: 'no-trunc', type: 'bool', help: 'Do not truncate the output' },
    { name: 'quiet', short: 'q', type: 'bool', help: 'Only ids' },
    { name: 'size', short: 's', type: 'bool', help: 'Sizes on disk' },
  ],
  async run({ client, output, errors, settings, now }, flags) {
    const quiet = flags.bool('quiet')
    const typed = flags.string('format')
    const layout = containerLayout({ truncate: !flags.bool('no-trunc'), now: now() })
    const chosen = typed || settings.file().psFormat || ''
    const used = usedFields(chosen, layout)
    if (typed !== '' && quiet)
      errors.write('WARNING: Ignoring custom format, because both --format and --quiet are set.\n')
    const format = quiet ? (typed === 'raw' ? 'raw' : '') : chosen
    const last = flags.bool('latest') && !flags.has('last') ? 1 : flags.number('last', -1)
    // A template that shows sizes needs them, unless the user disabled them.
    const size = flags.has('size') ? flags.bool('size') : used.has('Size')
    const containers = await client.containers.list({
      all: flags.bool('all'),
      size,
      filters: flags.filters(),
      ...(last > 0 ? { limit: last } : {}),
    })
    output.write(formatList(containers, containerFormat(format, { quiet, size }), layout))
    return 0
  },
}
