import type { Network } from '../../api/index.ts'
import { shortId } from '../../base/index.ts'
import type { Command } from '../command/command.ts'
import { filterFlag, tableFormatFlag } from '../command/list-flags.ts'
import { formatList, type ListLayout } from '../format/list-formatter.ts'
import { naturalOrder } from '../format/natural-order.ts'
import { formatLabels } from '../format/table.ts'
import { goTimeString } from '../format/times.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [
    filterFlag('driver=bridge'),
    tableFormatFlag,
    { name: 'no-trunc', type: 'bool', help: 'Do not truncate the output' },
    { name: 'quiet', short: 'q', type: 'bool', help: 'Only ids' },
  ],
  async run({ client, output, settings }, flags) {
    const quiet = flags.bool('quiet')
    const format = flags.string('format') || (quiet ? '' : settings.file().networksFormat) || ''
    const networks = await client.networks.list({ filters: flags.filters() })
    const sorted = networks.toSorted((left, right) => naturalOrder(left.Name, right.Name))
    output.write(formatList(sorted, networkFormat(format, quiet), networkLayout(!flags.bool('no-trunc'))))
    return 0
  },
}

function networkFormat(format: string, quiet: boolean): string {
  if (format === '' || format === 'table')
    return quiet ? '{{.ID}}' : 'table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}'
  if (format !== 'raw') return format
  return quiet
    ? 'network_id: {{.ID}}'
    : 'network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n'
}

function networkLayout(truncate: boolean): ListLayout<Network> {
  return {
    typeName: '*network.networkContext',
    headings: {
      ID: 'NETWORK ID',
      Name: 'NAME',
      Driver: 'DRIVER',
      Scope: 'SCOPE',
      IPv4: 'IPV4',
      IPv6: 'IPV6',
      Internal: 'INTERNAL',
      Labels: 'LABELS',
      CreatedAt: 'CREATED AT',
    },
    fields: {
      ID: ({ Id }) => (truncate ? shortId(Id) : Id),
      Name: ({ Name }) => Name,
      Driver: ({ Driver }) => Driver,
      Scope: ({ Scope }) => Scope,
      IPv4: ({ EnableIPv4 }) => String(EnableIPv4),
      IPv6: ({ EnableIPv6 }) => String(EnableIPv6),
      Internal: ({ Internal }) => String(Internal),
      Labels: ({ Labels }) => formatLabels(Labels),
      CreatedAt: ({ Created }) => createdAt(Created),
    },
    methods: { Label: ({ Labels }, name) => Labels?.[name] ?? '' },
  }
}

/** A time in the daemon's zone, with all its digits. */
function createdAt(text: string): string {
  const [, fraction = '', zone = 'Z'] = /:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? []
  const time = new Date(text)
  if (zone === 'Z') return goTimeString(time, { utc: true, fraction: fraction.replace(/0+$/, '').replace(/^\.$/, '') })
  return goTimeString(time, { fraction })
}
