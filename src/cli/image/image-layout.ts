/** The columns of `berth images`. */
import type { ImageSummary } from '../../api/index.ts'
import { shortId } from '../../base/index.ts'
import type { ListLayout } from '../format/list-formatter.ts'
import { goTimeString } from '../format/times.ts'
import { humanSize, timeAgo } from '../format/units.ts'

const none = '<none>'

/** One line: an image under one of its names. */
export interface ImageRow {
  readonly image: ImageSummary
  readonly repository: string
  readonly tag: string
  readonly digest: string
}

/** A line for each tag or, with `digests`, for each tag and digest of a repository. */
export function imageRows(image: ImageSummary, digests: boolean): ImageRow[] {
  const tagsOf = Map.groupBy(splitNames(image.RepoTags, ':'), ([repository]) => repository)
  const digestsOf = Map.groupBy(splitNames(image.RepoDigests, '@'), ([repository]) => repository)
  const rows: ImageRow[] = []
  for (const [repository, names] of tagsOf) {
    const own = digests ? (digestsOf.get(repository) ?? []) : []
    digestsOf.delete(repository)
    for (const [, tag] of names) {
      if (own.length === 0) rows.push({ image, repository, tag, digest: none })
      for (const [, digest] of own) rows.push({ image, repository, tag, digest })
    }
  }
  for (const [repository, names] of digestsOf) {
    if (!digests) rows.push({ image, repository, tag: none, digest: none })
    else for (const [, digest] of names) rows.push({ image, repository, tag: none, digest })
  }
  return rows.length > 0 ? rows : [{ image, repository: none, tag: none, digest: none }]
}

function splitNames(names: readonly string[] | null, separator: ':' | '@'): (readonly [string, string])[] {
  return (names ?? [])
    .filter((name) => !name.startsWith(none))
    .map((name) => {
      const at = name.lastIndexOf(separator)
      return [name.slice(0, at), name.slice(at + 1)] as const
    })
}

/** The template for a name given to `--format`, for `-q` and for `--digests`. */
export function imageFormat(
  format: string,
  { quiet, digests }: { readonly quiet: boolean; readonly digests: boolean },
): string {
  if (format === '' || format === 'table') {
    if (quiet) return '{{.ID}}'
    const digest = digests ? '{{.Digest}}\t' : ''
    return `table {{.Repository}}\t{{.Tag}}\t${digest}{{.ID}}\t{{.CreatedSince}}\t{{.Size}}`
  }
  if (format !== 'raw') return format
  if (quiet) return 'image_id: {{.ID}}'
  const digest = digests ? 'digest: {{.Digest}}\n' : ''
  return `repository: {{.Repository}}\ntag: {{.Tag}}\n${digest}image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n`
}

/** The columns, and the values of an image in them. */
export function imageLayout({
  truncate,
  now,
}: {
  readonly truncate: boolean
  readonly now: Date
}): ListLayout<ImageRow> {
  const created = ({ image }: ImageRow): Date => new Date(image.Created * 1000)
  const known = (size: number): string => (size < 0 ? 'N/A' : humanSize(size, 4))
  return {
    typeName: '*formatter.imageContext',
    headings: {
      ID: 'IMAGE ID',
      Repository: 'REPOSITORY',
      Tag: 'TAG',
      Digest: 'DIGEST',
      CreatedSince: 'CREATED',
      CreatedAt: 'CREATED AT',
      Size: 'SIZE',
      Containers: 'CONTAINERS',
      VirtualSize: 'SIZE',
      SharedSize: 'SHARED SIZE',
      UniqueSize: 'UNIQUE SIZE',
    },
    fields: {
      ID: ({ image }) => (truncate ? shortId(image.Id) : image.Id),
      Repository: ({ repository }) => repository,
      Tag: ({ tag }) => tag,
      Digest: ({ digest }) => digest,
      CreatedSince: (row) => (row.image.Created <= 0 ? 'N/A' : timeAgo(created(row), now)),
      CreatedAt: (row) => goTimeString(created(row)),
      Size: ({ image }) => humanSize(image.Size),
      Containers: ({ image }) => (image.Containers < 0 ? 'N/A' : String(image.Containers)),
      VirtualSize: ({ image }) => humanSize(image.Size, 4),
      SharedSize: ({ image }) => known(image.SharedSize),
      UniqueSize: ({ image }) => (image.SharedSize < 0 ? 'N/A' : humanSize(image.Size - image.SharedSize, 4)),
    },
  }
}
