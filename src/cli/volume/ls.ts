import type { Volume } from '../../api/index.ts'
import type { Command } from '../command/command.ts'
import { filterFlag, tableFormatFlag } from '../command/list-flags.ts'
import { formatList, type ListLayout } from '../format/list-formatter.ts'
import { naturalOrder } from '../format/natural-order.ts'
import { formatLabels } from '../format/table.ts'
import { humanSize } from '../format/units.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [
    filterFlag('dangling=true'),
    tableFormatFlag,
    { name: 'quiet', short: 'q', type: 'bool', help: 'Only names' },
    { name: 'cluster', type: 'bool', help: 'Show only cluster volumes, which Berth does not have' },
  ],
  async run({ client, output, settings }, flags) {
    const quiet = flags.bool('quiet')
    const format = flags.string('format') || (quiet ? '' : settings.file().volumesFormat) || ''
    const { Volumes: volumes } = await client.volumes.list({ filters: flags.filters() })
    if (flags.bool('cluster')) {
      output.write(formatList([], quiet ? '{{.Name}}' : clusterFormat, volumeLayout))
      return 0
    }
    const sorted = (volumes ?? []).toSorted((left, right) => naturalOrder(left.Name, right.Name))
    output.write(formatList(sorted, volumeFormat(format, quiet), volumeLayout))
    return 0
  },
}

const clusterFormat = 'table {{.Name}}\t{{.Group}}\t{{.Driver}}\t{{.Availability}}\t{{.Status}}'

function volumeFormat(format: string, quiet: boolean): string {
  if (format === '' || format === 'table') return quiet ? '{{.Name}}' : 'table {{.Driver}}\t{{.Name}}'
  if (format !== 'raw') return format
  return quiet ? 'name: {{.Name}}' : 'name: {{.Name}}\ndriver: {{.Driver}}\n'
}

/** The value of the columns for swarm's cluster volumes. */
const notAvailable = (): string => 'N/A'

/** The columns of `berth volume ls`. */
export const volumeLayout: ListLayout<Volume> = {
  typeName: '*formatter.volumeContext',
  headings: {
    Name: 'VOLUME NAME',
    Driver: 'DRIVER',
    Labels: 'LABELS',
    Mountpoint: 'MOUNTPOINT',
    Scope: 'SCOPE',
    Size: 'SIZE',
    Links: 'LINKS',
    Group: 'GROUP',
    Availability: 'AVAILABILITY',
    Status: 'STATUS',
  },
  fields: {
    Name: ({ Name }) => Name,
    Driver: ({ Driver }) => Driver,
    Labels: ({ Labels }) => formatLabels(Labels),
    Mountpoint: ({ Mountpoint }) => Mountpoint,
    Scope: ({ Scope }) => Scope,
    Size: ({ UsageData }) => (UsageData == null ? 'N/A' : humanSize(UsageData.Size)),
    Links: ({ UsageData }) => (UsageData == null ? 'N/A' : String(UsageData.RefCount)),
    Group: notAvailable,
    Availability: notAvailable,
    Status: notAvailable,
  },
  methods: { Label: ({ Labels }, name) => Labels?.[name] ?? '' },
}
