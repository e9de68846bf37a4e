/** The columns of `berth ps`. */

import type { ContainerSummary } from '../../../api/index.ts'
import { shortId } from '../../../base/index.ts'
import type { ListLayout } from '../../format/list-formatter.ts'
import { ellipsis, formatLabels } from '../../format/table.ts'
import { goTimeString } from '../../format/times.ts'
import { humanSize, timeAgo } from '../../format/units.ts'
import { displayPorts } from './display-ports.ts'

const commandWidth = 20
const mountWidth = 15

const tableColumns = 'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}'
const rawFormat = `container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{- pad .State 1 0}}
status: {{- pad .Status 1 0}}
names: {{.Names}}
labels: {{- pad .Labels 1 0}}
ports: {{- pad .Ports 1 0}}
`

/** The template for a name given to `--format`, for `-q` and for `-s`. */
export function containerFormat(
  format: string,
  { quiet, size }: { readonly quiet: boolean; readonly size: boolean },
): string {
  if (format === '' || format === 'table') {
    if (quiet) return '{{.ID}}'
    return size ? `${tableColumns}\t{{.Size}}` : tableColumns
  }
  if (format !== 'raw') return format
  return quiet ? 'container_id: {{.ID}}' : size ? `${rawFormat}size: {{.Size}}\n` : rawFormat
}

/** The columns, and the values of a container in them. */
export function containerLayout({
  truncate,
  now,
}: {
  readonly truncate: boolean
  readonly now: Date
}): ListLayout<ContainerSummary> {
  const created = ({ Created }: ContainerSummary): Date => new Date(Created * 1000)
  const mountName = (mount: ContainerSummary['Mounts'][number]): string => {
    const name = mount.Name || mount.Source
    return truncate ? ellipsis(name, mountWidth) : name
  }
  return {
    typeName: '*formatter.ContainerContext',
    headings: {
      ID: 'CONTAINER ID',
      Names: 'NAMES',
      Image: 'IMAGE',
      Command: 'COMMAND',
      CreatedAt: 'CREATED AT',
      RunningFor: 'CREATED',
      Ports: 'PORTS',
      State: 'STATE',
      Status: 'STATUS',
      Size: 'SIZE',
      Labels: 'LABELS',
      Mounts: 'MOUNTS',
      LocalVolumes: 'LOCAL VOLUMES',
      Networks: 'NETWORKS',
      Platform: 'PLATFORM',
    },
    fields: {
      ID: ({ Id }) => (truncate ? shortId(Id) : Id),
      Names: ({ Names }) => containerNames(Names, truncate),
      Image: (item) => imageName(item, truncate),
      Command: ({ Command }) => JSON.stringify(truncate ? ellipsis(Command, commandWidth) : Command),
      CreatedAt: (item) => goTimeString(created(item)),
      RunningFor: (item) => timeAgo(created(item), now),
      Ports: ({ Ports }) => displayPorts(Ports ?? []),
      State: ({ State }) => State,
      Status: ({ Status }) => Status,
      Size: ({ SizeRw = 0, SizeRootFs = 0 }) =>
        SizeRootFs > 0 ? `${humanSize(SizeRw)} (virtual ${humanSize(SizeRootFs)})` : humanSize(SizeRw),
      Labels: ({ Labels }) => formatLabels(Labels),
      Mounts: ({ Mounts }) => (Mounts ?? []).map(mountName).join(','),
      LocalVolumes: ({ Mounts }) => String((Mounts ?? []).filter(({ Driver }) => Driver === 'local').length),
      Networks: ({ NetworkSettings }) => Object.keys(NetworkSettings?.Networks ?? {}).join(','),
      Platform: (item) => platformOf(item),
    },
    methods: { Label: ({ Labels }, name) => Labels?.[name] ?? '' },
  }
}

/** The names without their slash. Names made by links (`/other/alias`) appear only if nothing is truncated. */
function containerNames(names: readonly string[], truncate: boolean): string {
  const bare = (names ?? []).map((name) => name.replace(/^\//, ''))
  return (truncate ? bare.filter((name) => !name.includes('/')) : bare).join(',')
}

function imageName({ Image, ImageID }: ContainerSummary, truncate: boolean): string {
  if (Image === '') return '<no image>'
  if (!truncate) return Image
  if (shortId(ImageID) === shortId(Image)) return shortId(Image)
  return Image.replace(/(.)@sha256:[0-9a-f]{64}$/, '$1')
}

function platformOf({ ImageManifestDescriptor }: ContainerSummary): string | null {
  const platform = ImageManifestDescriptor?.platform
  if (platform === undefined) return null
  return [platform.os, platform.architecture, platform.variant].filter((part) => (part ?? '') !== '').join('/')
}
