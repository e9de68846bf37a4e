/** Shows the messages of pull, push and load. On a terminal, each layer has a line, which is redrawn with a bar, the
 *  speed and the time left. Elsewhere, each layer gets one line when it is done. */
import type { ProgressMessage } from '../../api/index.ts'
import type { Output } from './output.ts'
import { formatTransfer, SpeedMeter } from './transfer-line.ts'

/** The last message of a layer. Without a terminal, only these are printed. */
const isFinal = /^(Pull complete|Already exists|Pushed|Layer already exists|Mounted from |Skipped )/
/** Messages that are printed although the layer is not done. */
const isNotable = /^Retrying /
/** The shortest time between two drawings of a line, because each costs the terminal some work. */
const redrawMs = 50
/** How long the terminal's size is remembered. */
const sizeMs = 500

/** The clock of the display. */
export interface ProgressDisplayOptions {
  /** A clock in milliseconds, from any start. */
  readonly now?: () => number
}

interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

interface Line {
  /** The line's number in its group. */
  readonly index: number
  readonly meter: SpeedMeter
  status: string
  drawnMs: number
}

/** Shows the progress of one pull, push or load. */
export class ProgressDisplay {
  readonly #output: Output
  readonly #terminal: boolean
  readonly #now: () => number
  #lines = new Map<string, Line>()
  #known: (TerminalSize & { readonly atMs: number }) | undefined
  /** Layers whose line was printed, without a terminal. */
  readonly #done = new Set<string>()

  constructor(output: Output, { now = () => performance.now() }: ProgressDisplayOptions = {}) {
    this.#output = output
    this.#terminal = output.isTerminal
    this.#now = now
  }

  /** Shows one message. */
  show(message: ProgressMessage): void {
    const { id = '', progressDetail, stream = '' } = message
    // `aux` has results for programs.
    if (message.aux !== undefined) return
    const isLayer = id !== '' && stream === '' && progressDetail !== undefined
    if (!isLayer) {
      this.#lines = new Map()
      this.#output.write(plainText(message))
      return
    }
    if (this.#terminal) this.#redraw(id, message)
    else this.#log(id, message)
  }

  /** Prints one line for each layer, when it is done. */
  #log(id: string, message: ProgressMessage): void {
    const { status = '' } = message
    const key = `${id} ${status}`
    if (!isNotable.test(status) && (!isFinal.test(status) || this.#done.has(key))) return
    // The key has the status, because a layer that is pushed again for another tag has another one.
    this.#done.add(key)
    this.#output.write(plainText(message))
  }

  /** The terminal's size. It takes a while to read, and may change. */
  #size(nowMs: number): TerminalSize {
    if (this.#known === undefined || nowMs - this.#known.atMs > sizeMs) {
      const { columns, rows } = this.#output
      this.#known = { columns, rows, atMs: nowMs }
    }
    return this.#known
  }

  #redraw(id: string, { status = '', progressDetail: detail }: ProgressMessage): void {
    const nowMs = this.#now()
    let line = this.#lines.get(id)
    let start = ''
    if (line === undefined) {
      line = { index: this.#lines.size, meter: new SpeedMeter(), status: '', drawnMs: Number.NEGATIVE_INFINITY }
      this.#lines.set(id, line)
      start = '\n'
    }
    const bytesPerSecond = line.meter.measure(status, detail?.current ?? 0, nowMs)
    const isSoon = nowMs - line.drawnMs < redrawMs
    if (isSoon && status === line.status && start === '' && detail?.current !== detail?.total) return
    line.status = status
    line.drawnMs = nowMs
    const { columns, rows } = this.#size(nowMs)
    const up = this.#lines.size - line.index
    // A line that has scrolled off the screen can't be reached any more.
    if (up >= rows) {
      this.#output.write(start)
      return
    }
    const text = formatTransfer({ id, status, detail, bytesPerSecond }, columns)
    // Up to the line, clear it, write it, and down again below the last line.
    this.#output.write(`${start}\x1b[${up}A\x1b[2K\r${text}\r\x1b[${up}B`)
  }
}

function plainText({ id = '', status, stream }: ProgressMessage): string {
  if (stream !== undefined && stream !== '') return stream
  if (status === undefined) return ''
  return `${id === '' ? '' : `${id}: `}${status}\n`
}
