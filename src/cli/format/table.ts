/** Columns of text, and the texts of cells. Cells end with a tab. Adjacent lines that have a cell form a column, which is as wide as its widest
 *  cell, as in Go's text/tabwriter. https://pkg.go.dev/text/tabwriter */

export interface ColumnOptions {
  readonly minWidth: number
  readonly padding: number
}

/** The widths of the CLI's tables. */
const tableColumns: ColumnOptions = { minWidth: 10, padding: 3 }

/** Aligns rows of cells. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  return alignColumns(rows.map((row) => `${row.join('\t').trimEnd()}\n`).join(''))
}

/** Replaces the tabs of `text` by spaces. Text behind the last tab of a line belongs to no column. */
export function alignColumns(text: string, options: ColumnOptions = tableColumns): string {
  const lines = text.split('\n').map((line) => line.split('\t'))
  const widths: number[] = []
  const output: string[] = []
  const flush = (from: number, to: number): void => {
    for (let row = from; row < to; row++) output[row] = renderLine(lines[row] ?? [], widths)
  }
  // Follows a column down as long as the lines have it, then handles the columns inside that block.
  const formatBlock = (from: number, to: number): void => {
    const column = widths.length
    let done = from
    for (let row = from; row < to; row++) {
      if (!hasCell(lines[row], column)) continue
      flush(done, row)
      let end = row
      let width = options.minWidth
      while (end < to && hasCell(lines[end], column)) {
        width = Math.max(width, textWidth(lines[end]?.[column] ?? '') + options.padding)
        end++
      }
      widths.push(width)
      formatBlock(row, end)
      widths.pop()
      done = end
      row = end - 1
    }
    flush(done, to)
  }
  formatBlock(0, lines.length)
  return output.join('\n')
}

function hasCell(cells: readonly string[] | undefined, column: number): boolean {
  return cells !== undefined && column < cells.length - 1
}

function renderLine(cells: readonly string[], widths: readonly number[]): string {
  return cells.map((cell, index) => padEnd(cell, index < cells.length - 1 ? (widths[index] ?? 0) : 0)).join('')
}

function padEnd(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - textWidth(cell)))
}

/** Joins labels for one cell of a table. */
export function formatLabels(labels: Readonly<Record<string, string>> | null | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`)
  return pairs.toSorted().join(',')
}

/** Cuts a text to `length` characters. The last one is an ellipsis if something was cut. */
export function ellipsis(text: string, length: number): string {
  const characters = [...text]
  if (characters.length <= length) return text
  return length <= 1 ? characters.slice(0, length).join('') : `${characters.slice(0, length - 1).join('')}…`
}

/** The width in characters instead of UTF-16 units. */
function textWidth(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : [...text].length
}
