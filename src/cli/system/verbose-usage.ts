/** `berth system df -v`: a table for each kind of object, or a template over all of them. */
import type { BuildCacheRecord, ContainerSummary, DiskUsage, ImageSummary, Volume } from '../../api/index.ts'
import { invalidArgument, messageOf } from '../../base/index.ts'
import { GoStruct, GoTemplate, goJson, withType } from '../../template/index.ts'
import { containerFormat, containerLayout } from '../container/views/container-layout.ts'
import { formatList, type ListLayout, rowOf } from '../format/list-formatter.ts'
import { humanSize, timeAgo } from '../format/units.ts'
import { type ImageRow, imageFormat, imageLayout, imageRows } from '../image/image-layout.ts'
import { volumeLayout } from '../volume/ls.ts'

interface VerboseOptions {
  /** The value of `--format`. */
  readonly format: string
  readonly now: Date
}

/** The whole text. A template sees the four lists as fields. Throws with the texts of Docker's CLI. */
export function verboseUsage(usage: DiskUsage, { format, now }: VerboseOptions): string {
  const isTable = format === '' || format === 'table'
  const lists = listsOf(usage, { truncate: isTable, now })
  if (isTable) return tables(usage, lists)
  if (format === 'raw') return rawLists(lists)
  if (format === 'json') return goJson(usageValue(lists))
  try {
    // Unlike elsewhere, a table of a template has no heading.
    return new GoTemplate(format.replace(/^table /, '')).execute(usageValue(lists))
  } catch (error) {
    throw invalidArgument(`template parsing error: ${messageOf(error)}`, { cause: error })
  }
}

interface Lists {
  readonly images: List<ImageRow>
  readonly containers: List<ContainerSummary>
  readonly volumes: List<Volume>
  readonly cache: List<BuildCacheRecord>
}

interface List<T> {
  readonly items: readonly T[]
  readonly layout: ListLayout<T>
}

function listsOf(usage: DiskUsage, options: { readonly truncate: boolean; readonly now: Date }): Lists {
  const containers = (usage.Containers ?? []).map((container) => ({ ...container, SizeRootFs: 0 }))
  return {
    images: { items: (usage.Images ?? []).map(firstRow), layout: imageLayout(options) },
    containers: { items: containers, layout: containerLayout(options) },
    volumes: { items: usage.Volumes ?? [], layout: volumeLayout },
    cache: { items: usage.BuildCache ?? [], layout: cacheLayout(options.now) },
  }
}

function usageValue({ images, containers, volumes, cache }: Lists): GoStruct {
  const rows = <T>({ items, layout }: List<T>): readonly GoStruct[] =>
    withType(
      items.map((item) => rowOf(item, layout)),
      `[]${layout.typeName}`,
    )
  const fields = new Map<string, unknown>([
    ['Images', rows(images)],
    ['Containers', rows(containers)],
    ['Volumes', rows(volumes)],
    ['BuildCache', rows(cache)],
  ])
  return new GoStruct('*formatter.diskUsageContext', fields)
}

function tables(usage: DiskUsage, { images, containers, volumes, cache }: Lists): string {
  const cacheBytes = (usage.BuildCache ?? []).reduce((sum, { Size, Shared }) => sum + (Shared ? 0 : Size), 0)
  return [
    `Images space usage:\n\n${formatList(images.items, imageTable, images.layout)}`,
    `Containers space usage:\n\n${formatList(containers.items, containerTable, containers.layout)}`,
    `Local Volumes space usage:\n\n${formatList(volumes.items, volumeTable, volumes.layout)}`,
    `Build cache usage: ${humanSize(cacheBytes, 4)}\n\n${formatList(cache.items, cacheTable, cache.layout)}`,
  ].join('\n')
}

function rawLists({ images, containers, volumes, cache }: Lists): string {
  return [
    formatList(images.items, `type: Image\n${imageFormat('raw', { quiet: false, digests: true })}`, images.layout),
    formatList(
      containers.items,
      `type: Container\n${containerFormat('raw', { quiet: false, size: true })}`,
      containers.layout,
    ),
    formatList(volumes.items, 'type: Volume\nname: {{.Name}}\ndriver: {{.Driver}}\n', volumes.layout),
    formatList(cache.items, rawCache, cache.layout),
  ].join('')
}

const rawCache = `type: Build Cache
id: {{.ID}}
{{if .Parents}}parents: {{.Parents}}
{{end}}build_cache_type: {{.CacheType}}
size: {{.Size}}
created_at: {{.CreatedSince}}
last_used_at: {{.LastUsedSince}}
usage_count: {{.UsageCount}}
in_use: {{.InUse}}
shared: {{.Shared}}
description: {{.Description}}
`
const imageTable =
  'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}'
const containerTable =
  'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}'
const volumeTable = 'table {{.Name}}\t{{.Links}}\t{{.Size}}'
const cacheTable =
  'table {{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}'

/** The image's single line, under the first of its names. */
function firstRow(image: ImageSummary): ImageRow {
  const none = '<none>'
  const [tagged] = image.RepoTags.length > 0 ? imageRows(image, false) : []
  return { image, repository: tagged?.repository ?? none, tag: tagged?.tag ?? none, digest: '' }
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
