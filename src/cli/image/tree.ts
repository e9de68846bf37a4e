/** `berth images --tree`: each image with its platforms, as docker 28 draws it. In a pipe, docker leaves colors in the
 *  line of titles; Berth does not. */
import type { ImageManifestSummary, ImageSummary } from '../../api/index.ts'
import { shortId } from '../../base/index.ts'
import { formatPlatform } from '../../oci/index.ts'
import { humanSize } from '../format/units.ts'
import type { Output } from '../terminal/output.ts'

interface Details {
  readonly id: string
  readonly diskUsage: string
  readonly contentSize: string
  readonly isUsed: boolean
}

interface Column {
  readonly title: string
  readonly width: number
  readonly isRight?: boolean
  readonly value: (details: Details, style: Style) => Cell
}

interface Cell {
  readonly text: string
  /** The number of columns of a text that has its own color. */
  readonly ownColumns?: number
}

/** Adds escape sequences on a terminal. In a pipe, gives the text unchanged. */
type Style = (codes: string, text: string) => string

const warning = "WARNING: This is an experimental feature. The output may change and shouldn't be depended on."
const gap = '   '
/** The column of names is not made narrower than this; other columns are dropped instead. */
const minNameColumns = 12
const codes = {
  warning: '\x1b[93m',
  title: '\x1b[39m\x1b[1m',
  name: '\x1b[34m\x1b[1m',
  plain: '\x1b[39m',
  faint: '\x1b[39m\x1b[2m',
  chip: '\x1b[38;5;0m\x1b[48;5;14m',
} as const

const columns: readonly Column[] = [
  { title: 'ID', width: 12, value: ({ id }) => ({ text: shortId(id) }) },
  { title: 'DISK USAGE', width: 10, isRight: true, value: ({ diskUsage }) => ({ text: diskUsage }) },
  { title: 'CONTENT SIZE', width: 12, isRight: true, value: ({ contentSize }) => ({ text: contentSize }) },
  { title: 'EXTRA', width: 5, value: ({ isUsed }, style) => (isUsed ? chip(style) : { text: '', ownColumns: 0 }) },
]

/** Draws the images, the newest first. Images without a name are drawn only with `all`. */
export function writeImageTree(
  output: Output,
  images: readonly ImageSummary[],
  { all }: { readonly all: boolean },
): void {
  const style: Style = output.isTerminal ? (code, text) => `${code}${text}\x1b[0m` : (_, text) => text
  const width = Math.max(output.columns, 20)
  const shown = images.filter((image) => all || !isDangling(image)).sort((a, b) => b.Created - a.Created)
  const fitting = columnsThatFit(width)
  const taken = fitting.reduce((sum, column) => sum + column.width + gap.length, 0)
  const nameWidth = Math.min(width - taken, widestName(shown))
  const row = (first: string, look: string, cells: readonly (readonly [Column, Cell])[], rest: string): string =>
    [pad(first, nameWidth, look, style), ...cells.map(([column, cell]) => drawCell(column, cell, rest, style))].join(
      gap,
    )
  const titles = fitting.map((column) => [{ ...column, isRight: false }, { text: column.title }] as const)
  let text = `${style(codes.warning, warning)}\n${legend(width, style)}\n\n${row('IMAGE', codes.title, titles, codes.title)}\n`
  const isSpaced = shown.some((image) => platformsOf(image).length > 0)
  for (const image of shown) {
    const cells = (details: Details) => fitting.map((column) => [column, column.value(details, style)] as const)
    const names = namesOf(image)
    for (const name of names.slice(0, -1)) {
      text += `${style(codes.name, output.isTerminal ? ellipsis(name, width) : name)}\n`
    }
    const last = names.at(-1)
    text += row(
      last ?? '<untagged>',
      last === undefined ? codes.faint : codes.name,
      cells(detailsOf(image)),
      codes.plain,
    )
    const platforms = platformsOf(image)
    if (isSpaced) text += '\n'
    for (const [index, platform] of platforms.entries()) {
      const branch = index === platforms.length - 1 ? '└─ ' : '├─ '
      const look = platform.Available ? codes.plain : codes.faint
      const label = branch + platformName(platform)
      text += `${row(label, look, cells(detailsOfPlatform(platform)), look)}\n`
    }
    text += '\n'
  }
  output.write(text)
}

interface PlatformSummary extends ImageManifestSummary {
  readonly ImageData: NonNullable<ImageManifestSummary['ImageData']>
}

function platformsOf({ Manifests }: ImageSummary): readonly PlatformSummary[] {
  return (Manifests ?? []).filter((one): one is PlatformSummary => one.Kind === 'image' && one.ImageData !== undefined)
}

function platformName({ ImageData: { Platform: platform } }: PlatformSummary): string {
  const { os, architecture, variant } = platform
  return formatPlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) })
}

function detailsOf(image: ImageSummary): Details {
  const content = (image.Manifests ?? []).reduce((sum, { Size }) => sum + Size.Content, 0)
  const isUsed = image.Containers > 0 || platformsOf(image).some((one) => detailsOfPlatform(one).isUsed)
  return { id: image.Id, diskUsage: humanSize(image.Size), contentSize: humanSize(content), isUsed }
}

function detailsOfPlatform({ ID: id, Size, ImageData }: PlatformSummary): Details {
  const isUsed = (ImageData.Containers ?? []).length > 0
  return { id, diskUsage: humanSize(Size.Total), contentSize: humanSize(Size.Content), isUsed }
}

function isDangling({ RepoTags, RepoDigests }: ImageSummary): boolean {
  const isNone = (names: readonly string[] | null) => (names ?? []).every((name) => name.startsWith('<none>'))
  return isNone(RepoTags) && isNone(RepoDigests)
}

/** The names, the longest first: only the last one shares its line with the other columns. */
function namesOf({ RepoTags }: ImageSummary): readonly string[] {
  return [...(RepoTags ?? [])].sort((a, b) => b.length - a.length)
}

function columnsThatFit(width: number): readonly Column[] {
  let left = width
  const cut = columns.findIndex((column) => {
    left -= column.width + gap.length
    return left < minNameColumns
  })
  return cut === -1 ? columns : columns.slice(0, cut)
}

/** Counts in bytes, as docker does: the branches of the tree count for more columns than they take. */
function widestName(images: readonly ImageSummary[]): number {
  const texts = images.flatMap((image) => [
    ...namesOf(image),
    ...platformsOf(image).map((platform) => `└─ ${platformName(platform)}`),
  ])
  return Math.max('IMAGE'.length, ...texts.map((text) => Buffer.byteLength(text)))
}

function legend(width: number, style: Style): string {
  const isPlain = style('', 'x') === 'x'
  const info = isPlain ? 'Info -> ' : '\x1b[1m\x1b[106m\x1b[30mi\x1b[0m\x1b[0m \x1b[96mInfo → \x1b[0m\x1b[0m'
  const infoColumns = isPlain ? 'Info -> '.length : 'i Info → '.length
  const { text, ownColumns = 0 } = chip(style)
  const rest = ' In Use '
  return `${' '.repeat(Math.max(width - infoColumns - 1 - ownColumns - rest.length, 0))}${info} ${text}${rest}`
}

/** The mark of an image that containers use. */
function chip(style: Style): Cell {
  const isPlain = style('', 'x') === 'x'
  return isPlain ? { text: 'U', ownColumns: 1 } : { text: style(codes.chip, ' U '), ownColumns: 3 }
}

function drawCell({ width, isRight = false }: Column, { text, ownColumns }: Cell, look: string, style: Style): string {
  if (ownColumns !== undefined) return text + ' '.repeat(width - ownColumns)
  if (isRight && text.length <= width) return ' '.repeat(width - text.length) + style(look, text)
  return pad(text, width, look, style)
}

function pad(text: string, width: number, look: string, style: Style): string {
  const short = ellipsis(text, width)
  return style(look, short) + ' '.repeat(width - short.length)
}

function ellipsis(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}
