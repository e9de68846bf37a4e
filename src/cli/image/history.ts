import type { ImageHistoryItem } from '../../api/index.ts'
import { shortId } from '../../base/index.ts'
import type { Command } from '../command/command.ts'
import { tableFormatFlag } from '../command/list-flags.ts'
import { formatList, type ListLayout } from '../format/list-formatter.ts'
import { ellipsis } from '../format/table.ts'
import { rfc3339 } from '../format/times.ts'
import { humanSize, timeAgo } from '../format/units.ts'
import { platformQuery } from './platform-query.ts'

const stepWidth = 45

export const command: Command = {
  usage: '[OPTIONS] IMAGE',
  operands: { min: 1, max: 1 },
  flags: [
    tableFormatFlag,
    { name: 'human', short: 'H', type: 'bool', help: 'Print sizes and times in readable form', defaultTrue: true },
    { name: 'no-trunc', type: 'bool', help: 'Do not truncate the output' },
    { name: 'platform', type: 'string', help: 'Platform to show (os[/arch[/variant]])' },
    { name: 'quiet', short: 'q', type: 'bool', help: 'Only ids' },
  ],
  async run({ client, output, now }, flags, [image = '']) {
    const human = flags.bool('human')
    const steps = await client.images.history(image, platformQuery(flags.string('platform'), 'invalid platform: '))
    const layout = historyLayout({ truncate: !flags.bool('no-trunc'), human, now: now() })
    const time = human ? '{{.CreatedSince}}' : '{{.CreatedAt}}'
    const table = flags.bool('quiet') ? '{{.ID}}' : `table {{.ID}}\t${time}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`
    const format = flags.string('format')
    output.write(formatList(steps, format === '' || format === 'table' ? table : format, layout))
    return 0
  },
}

function historyLayout(options: {
  readonly truncate: boolean
  readonly human: boolean
  readonly now: Date
}): ListLayout<ImageHistoryItem> {
  const { truncate, human, now } = options
  const created = ({ Created }: ImageHistoryItem): Date => new Date(Created * 1000)
  const step = (text: string): string => text.replaceAll('\t', ' ')
  return {
    typeName: '*image.historyContext',
    headings: {
      ID: 'IMAGE',
      CreatedSince: 'CREATED',
      CreatedAt: 'CREATED AT',
      CreatedBy: 'CREATED BY',
      Size: 'SIZE',
      Comment: 'COMMENT',
    },
    fields: {
      ID: ({ Id }) => (truncate ? shortId(Id) : Id),
      CreatedSince: (item) => (item.Created <= 0 ? 'N/A' : timeAgo(created(item), now)),
      CreatedAt: (item) => (item.Created <= 0 ? '' : rfc3339(created(item))),
      CreatedBy: ({ CreatedBy }) => (truncate ? ellipsis(step(CreatedBy), stepWidth) : step(CreatedBy)),
      Size: ({ Size }) => (human ? humanSize(Size) : String(Size)),
      Comment: ({ Comment }) => Comment,
    },
  }
}
