import type { DiskUsage } from '../../api/index.ts'
import type { Command } from '../command/command.ts'
import { tableFormatFlag } from '../command/list-flags.ts'
import { formatList } from '../format/list-formatter.ts'
import { usageFormat, usageLayout, usageRows } from './disk-usage-layout.ts'
import { verboseUsage } from './verbose-usage.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [
    tableFormatFlag,
    { name: 'verbose', short: 'v', type: 'bool', help: 'Show each image, container and volume' },
  ],
  async run({ client, output, now }, flags) {
    const format = flags.string('format')
    const usage: DiskUsage = await client.system.diskUsage()
    if (!flags.bool('verbose')) output.write(formatList(usageRows(usage), usageFormat(format), usageLayout))
    else output.write(verboseUsage(usage, { format, now: now() }))
    return 0
  },
}
