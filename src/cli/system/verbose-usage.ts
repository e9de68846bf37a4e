/** `berth system df -v`: a table, or a member of one JSON object, for each kind. */
import type { BuildCacheRecord, DiskUsage, ImageSummary } from '../../api/index.ts'
import { containerLayout } from '../container/container-layout.ts'
import { formatList, type ListLayout } from '../format/list-formatter.ts'
import { humanSize, timeAgo } from '../format/units.ts'
import { type ImageRow, imageLayout, imageRows } from '../image/image-layout.ts'
import { volumeLayout } from '../volume/ls.ts'

interface VerboseOptions {
  readonly json: boolean
  readonly now: Date
}

/** All of it. */
export function verboseUsage(usage: DiskUsage, { json, now }: VerboseOptions): string {
  const images = (usage.Images ?? []).map(firstRow)
  const containers = (usage.Containers ?? []).map((container) => ({ ...container, SizeRootFs: 0 }))
  const volumes = usage.Volumes ?? []
  const cache = usage.BuildCache ?? []
  const layouts = {
    image: imageLayout({ truncate: !json, now }),
    container: containerLayout({ truncate: !json, now }),
    cache: cacheLayout(now),
  }
  if (json) {
    const members = [
      `"Images":${jsonList(images, layouts.image)}`,
      `"Containers":${jsonList(containers, layouts.container)}`,
      `"Volumes":${jsonList(volumes, volumeLayout)}`,
      `"BuildCache":${jsonList(cache, layouts.cache)}`,
    ]
    return `{${members.join(',')}}`
  }
  const cacheBytes = cache.reduce((sum, { Size, Shared }) => sum + (Shared ? 0 : Size), 0)
  return [
    `Images space usage:\n\n${formatList(images, imageTable, layouts.image)}`,
    `Containers space usage:\n\n${formatList(containers, containerTable, layouts.container)}`,
    `Local Volumes space usage:\n\n${formatList(volumes, volumeTable, volumeLayout)}`,
    `Build cache usage: ${humanSize(cacheBytes, 4)}\n\n${formatList(cache, cacheTable, layouts.cache)}`,
  ].join('\n')
}

const imageTable =
  'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}'
const containerTable =
  'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}'
const volumeTable = 'table {{.Name}}\t{{.Links}}\t{{.Size}}'
const cacheTable =
  'table {{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}'

/** An image has one line here, under the first of its names. */
function firstRow(image: ImageSummary): ImageRow {
  const none = '<none>'
  const [tagged] = image.RepoTags.length > 0 ? imageRows(image, false) : []
  return { image, repository: tagged?.repository ?? none, tag: tagged?.tag ?? none, digest: '' }
}

function jsonList<T>(items: readonly T[], layout: ListLayout<T>): string {
  const lines = formatList(items, 'json', layout)
    .split('\n')
    .filter((line) => line !== '')
  return `[${lines.join(',')}]`
}

function cacheLayout(now: Date): ListLayout<BuildCacheRecord> {
  const ago = (time: string | null) => (time === null ? '' : timeAgo(new Date(time), now))
  return {
    typeName: '*formatter.buildCacheContext',
    headings: {
      ID: 'CACHE ID',
      Parents: 'PARENTS',
      CacheType: 'CACHE TYPE',
      Size: 'SIZE',
      CreatedSince: 'CREATED',
      LastUsedSince: 'LAST USED',
      UsageCount: 'USAGE',
      Shared: 'SHARED',
      Description: 'DESCRIPTION',
      InUse: 'IN USE',
    },
    fields: {
      ID: ({ ID, InUse }) => (InUse ? `${ID}*` : ID),
      Parents: ({ Parents }) => (Parents ?? []).join(','),
      CacheType: ({ Type }) => Type,
      Size: ({ Size }) => humanSize(Size),
      CreatedSince: ({ CreatedAt }) => ago(CreatedAt),
      LastUsedSince: ({ LastUsedAt }) => ago(LastUsedAt),
      UsageCount: ({ UsageCount }) => String(UsageCount),
      Shared: ({ Shared }) => String(Shared),
      Description: ({ Description }) => Description,
      InUse: ({ InUse }) => String(InUse),
    },
  }
}
