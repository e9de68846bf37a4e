import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'
import { filterFlag, tableFormatFlag } from '../command/list-flags.ts'
import type { FlagValues } from '../flags/flag-values.ts'
import { formatList } from '../format/list-formatter.ts'
import { imageFormat, imageLayout, imageRows } from './image-layout.ts'
import { writeImageTree } from './tree.ts'

export const command: Command = {
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  operands: { min: 0, max: 1 },
  flags: [
    { name: 'all', short: 'a', type: 'bool', help: 'Also show intermediate images' },
    { name: 'digests', type: 'bool', help: 'Digests' },
    filterFlag(),
    tableFormatFlag,
    { name: 'no-trunc', type: 'bool', help: 'Do not truncate the output' },
    { name: 'quiet', short: 'q', type: 'bool', help: 'Only ids' },
    { name: 'tree', type: 'bool', help: 'Platforms of images as a tree', hidden: true },
  ],
  async run({ client, output, settings, now }, flags, [reference]) {
    const quiet = flags.bool('quiet')
    const digests = flags.bool('digests')
    const filters = flags.filters()
    if (reference !== undefined) (filters.reference ??= []).push(reference)
    if (flags.bool('tree')) {
      checkAlone(flags)
      const all = flags.bool('all')
      writeImageTree(output, await client.images.list({ all, filters, manifests: true }), { all })
      return 0
    }
    const format = flags.string('format') || (quiet ? '' : settings.file().imagesFormat) || ''
    const images = await client.images.list({ all: flags.bool('all'), filters })
    const rows = images.flatMap((image) => imageRows(image, digests))
    const layout = imageLayout({ truncate: !flags.bool('no-trunc'), now: now() })
    output.write(formatList(rows, imageFormat(format, { quiet, digests }), layout))
    return 0
  },
}

/** Refuses flags that docker does not combine with `--tree`. */
function checkAlone(flags: FlagValues): void {
  const others: readonly (readonly [string, boolean])[] = [
    ['quiet', flags.bool('quiet')],
    ['no-trunc', flags.bool('no-trunc')],
    ['show-digest', flags.bool('digests')],
    ['format', flags.string('format') !== ''],
  ]
  const other = others.find(([, isGiven]) => isGiven)?.[0]
  if (other !== undefined) throw new CliError(1, `--${other} is not yet supported with --tree`)
}
