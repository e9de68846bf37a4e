/** Shows the messages of pull and load: on a terminal a line with a bar for each layer, redrawn in place,
 *  elsewhere a line for each change of state. */
import type { ProgressDetail, ProgressMessage } from '../../api/index.ts'
import { humanSize } from '../format/units.ts'
import type { Output } from './output.ts'

const fullWidth = 110
const barWidth = 50

export class ProgressDisplay {
  readonly #output: Output
  readonly #terminal: boolean
  /** Layer → its line, counted from the first of the group. */
  #lines = new Map<string, number>()

  constructor(output: Output) {
    this.#output = output
    this.#terminal = output.isTerminal
  }

  show(message: ProgressMessage): void {
    const { id = '', progressDetail, stream = '' } = message
    const bar = formatProgress(progressDetail, this.#output.columns)
    if (!this.#terminal) {
      // Bars would only repeat: the change of state is what counts.
      if (bar === '') this.#output.write(plainText(message, ''))
      return
    }
    if (id === '' || stream !== '' || progressDetail === undefined) {
      this.#lines = new Map()
      this.#output.write(plainText(message, bar))
      return
    }
    this.#redraw(id, `${id}: ${message.status ?? ''} ${bar}`.trimEnd())
  }

  #redraw(id: string, text: string): void {
    let line = this.#lines.get(id)
    let start = ''
    if (line === undefined) {
      line = this.#lines.size
      this.#lines.set(id, line)
      start = '\n'
    }
    const up = this.#lines.size - line
    // Up to the line, clear it, write, and down again below the last.
    this.#output.write(`${start}\x1b[${up}A\x1b[2K\r${text}\r\x1b[${up}B`)
  }
}

function plainText({ id = '', status, stream }: ProgressMessage, bar: string): string {
  if (stream !== undefined && stream !== '') return stream
  if (status === undefined && bar === '') return ''
  return `${id === '' ? '' : `${id}: `}${status ?? ''}${bar === '' ? '' : ` ${bar}`}\n`
}

/** `[=====>    ]   1.5MB/3MB`; nothing when there are no numbers. */
export function formatProgress(detail: ProgressDetail | undefined, columns: number): string {
  const { current = 0, total = 0, units } = detail ?? {}
  if (current <= 0 && total <= 0) return ''
  const amount = (value: number): string =>
    units === undefined || units === '' ? humanSize(value, 4) : `${value} ${units}`
  if (total <= 0 || current > total) return amount(current).padStart(8)
  const filled = Math.trunc((current / total) * barWidth)
  const bar = columns > fullWidth ? `[${'='.repeat(filled)}>${' '.repeat(Math.max(0, barWidth - filled))}] ` : ''
  const numbers = detail?.hidecounts === true ? '' : `${amount(current).padStart(8)}/${amount(total)}`
  return bar + numbers
}
