/** The list of flags in `--help`: two columns, the right one wrapped, in the layout of Go's pflag. */
import { type Flag, isRepeatable } from './flag.ts'

/** One or more lines for each flag, sorted by name, at most `columns` wide. */
export function flagUsages(flags: readonly Flag[], columns: number): string {
  const rows = flags
    .filter((flag) => flag.hidden !== true)
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .map((flag) => ({ left: leftColumn(flag), right: rightColumn(flag) }))
  const width = Math.max(...rows.map(({ left }) => left.length)) + 3
  return rows.map(({ left, right }) => `${left.padEnd(width)}${wrap(width, columns, right)}\n`).join('')
}

function leftColumn({ name, short, type }: Flag): string {
  const names = short === undefined ? `      --${name}` : `  -${short}, --${name}`
  return type === 'bool' ? names : `${names} ${type}`
}

function rightColumn({ help, type, shownDefault, defaultTrue }: Flag): string {
  if (defaultTrue === true) return `${help} (default true)`
  if (shownDefault === undefined) return help
  const bare = isRepeatable(type) || type !== 'string'
  return `${help} (default ${bare ? shownDefault : JSON.stringify(shownDefault)})`
}

// A line may exceed the width by this much if that avoids a break.
const slop = 5

function wrap(indent: number, columns: number, text: string): string {
  let margin = indent
  let width = columns - margin
  let result = ''
  if (width < 24) {
    margin = 16
    width = columns - margin
    result = `\n${' '.repeat(margin)}`
  }
  if (width < 24) return result + text
  const newline = `\n${' '.repeat(margin)}`
  let rest = text
  for (let first = true; first || rest !== ''; first = false) {
    const [line, after] = firstLine(width - slop, rest)
    result += (first ? '' : newline) + line.replaceAll('\n', newline)
    rest = after
  }
  return result
}

function firstLine(width: number, text: string): readonly [string, string] {
  if (width + slop > text.length) return [text, '']
  const head = text.slice(0, width)
  const space = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\t'), head.lastIndexOf('\n'))
  if (space <= 0) return [text, '']
  const newline = head.lastIndexOf('\n')
  const cut = newline > 0 && newline < space ? newline : space
  return [text.slice(0, cut), text.slice(cut + 1)]
}
