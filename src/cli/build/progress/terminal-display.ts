/** `--progress tty`: one line for each step, redrawn in place while the step runs, together with its activities and the
 *  last lines of its program. */

import type { Output } from '../../terminal/output.ts'
import type { BuildDisplay } from './build-display.ts'
import { type BuildStep, BuildSteps } from './build-steps.ts'
import type { BuildStatus } from './solve-status.ts'
import { failureLogs, formatSeconds, formatStatus, isCancelled } from './step-text.ts'

/** The clock and the size of the display. */
export interface TerminalDisplayOptions {
  /** The wall clock in milliseconds. */
  readonly now?: () => number
  /** The time between two drawings. Undefined: only `draw` draws, for tests. */
  readonly redrawMs?: number | undefined
  /** How many lines of a running program to show. */
  readonly logLines?: number
  readonly isColored?: boolean
}

/** How many lines of a running program are shown by default. */
export const defaultLogLines = 6
const timeWidth = 8

/** One line of the drawing. */
interface Row {
  readonly text: string
  readonly time: string
  readonly color: keyof typeof colors | undefined
  /** True for rows of finished steps, which are dropped first if the terminal is too small. */
  readonly isOver: boolean
}

const colors = { blue: '\x1b[34m', red: '\x1b[31m', yellow: '\x1b[33m' } as const

/** Draws the progress on a terminal. */
export class TerminalDisplay implements BuildDisplay {
  readonly #output: Output
  readonly #options: Required<Omit<TerminalDisplayOptions, 'redrawMs'>>
  readonly #steps = new BuildSteps()
  readonly #timer: NodeJS.Timeout | undefined
  readonly #beganMs: number
  #drawnRows = 0

  constructor(output: Output, { redrawMs, ...options }: TerminalDisplayOptions = {}) {
    this.#output = output
    this.#options = { now: Date.now, logLines: defaultLogLines, isColored: true, ...options }
    this.#beganMs = this.#options.now()
    this.#timer = redrawMs === undefined ? undefined : setInterval(() => this.draw(), redrawMs)
    // The display alone must not keep the process running.
    this.#timer?.unref()
  }

  update(status: BuildStatus): void {
    this.#steps.update(status)
  }

  finish({ failed }: { readonly failed: boolean }): void {
    clearInterval(this.#timer)
    this.#paint({ isFinished: !failed, isLast: true })
    if (failed) this.#output.write(failureLogs(this.#steps.all))
  }

  /** Draws over the previous drawing. */
  draw(): void {
    this.#paint({ isFinished: false, isLast: false })
  }

  #paint({ isFinished, isLast }: { readonly isFinished: boolean; readonly isLast: boolean }): void {
    const { columns, rows: height } = this.#output
    const nowMs = this.#options.now()
    const steps = this.#steps.all.filter(({ index }) => index > 0).sort((a, b) => a.index - b.index)
    const all = steps.flatMap((step) => rowsOf(step, nowMs, this.#options.logLines))
    const rows = isLast ? all : fitting(all, height - 2)
    const total = this.#steps.all.length
    const head = `[+] Building ${formatSeconds(nowMs - this.#beganMs)} (${this.#steps.completedCount}/${total})`
    const title = `${head}${isFinished ? ' FINISHED' : ''}`.slice(0, columns - 1)
    const lines = [title, ...rows.map((row) => this.#format(row, columns))]
    const up = this.#drawnRows === 0 ? '' : `\x1b[${this.#drawnRows}A`
    // The cursor is hidden meanwhile, so that it does not flicker.
    this.#output.write(`\x1b[?25l${up}\x1b[J${lines.map((line) => `${line}\n`).join('')}\x1b[?25h`)
    this.#drawnRows = isLast ? 0 : lines.length
  }

  #format({ text, time, color }: Row, columns: number): string {
    const width = Math.max(0, columns - 1 - timeWidth)
    const cut = fit(text, width)
    const line =
      time === '' ? fit(text, columns - 1) : `${cut}${' '.repeat(width - widthOf(cut))}${time.padStart(timeWidth)}`
    return color === undefined || !this.#options.isColored ? line : `${colors[color]}${line}\x1b[0m`
  }
}

/** The rows of one step. */
function rowsOf(step: BuildStep, nowMs: number, logLines: number): Row[] {
  const isOver = step.completedMs !== undefined
  const state = stateOf(step)
  const time = formatSeconds((step.completedMs ?? nowMs) - (step.startedMs ?? nowMs))
  const rows: Row[] = [{ text: ` => ${state.prefix}${step.name}`, time, color: state.color, isOver }]
  for (const status of step.statuses.values()) {
    const endMs = status.completed === undefined ? nowMs : Date.parse(status.completed)
    const seconds = status.started === undefined ? '' : formatSeconds(endMs - Date.parse(status.started))
    const isDone = isOver || status.completed !== undefined
    rows.push({
      text: ` => => ${formatStatus(status)}`,
      time: seconds,
      color: isDone ? 'blue' : undefined,
      isOver: isDone,
    })
  }
  if (!isOver) {
    const texts =
      step.partial === '' ? step.lines.map(({ text }) => text) : [...step.lines.map(({ text }) => text), step.partial]
    for (const text of texts.slice(-logLines))
      rows.push({ text: ` => => # ${text}`, time: '', color: undefined, isOver })
  }
  return rows
}

function stateOf(step: BuildStep): { readonly prefix: string; readonly color: Row['color'] } {
  if (isCancelled(step)) return { prefix: 'CANCELED ', color: 'yellow' }
  if (step.error !== undefined) return { prefix: 'ERROR ', color: 'red' }
  if (step.completedMs === undefined) return { prefix: '', color: undefined }
  return { prefix: step.cached ? 'CACHED ' : '', color: 'blue' }
}

/** Drops rows until they fit: those of finished steps first, the oldest before the others. */
function fitting(rows: readonly Row[], height: number): readonly Row[] {
  let surplus = rows.length - Math.max(1, height)
  if (surplus <= 0) return rows
  const kept = rows.filter((row) => !(row.isOver && surplus-- > 0))
  return kept.slice(-Math.max(1, height))
}

/** Cuts a text to one line: no control characters, not wider than `columns`. */
function fit(text: string, columns: number): string {
  const clean = text
    .replaceAll('\t', '    ')
    // Colors and other sequences of a program would break the drawing.
    .replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?/g, '')
    .replace(/[\x00-\x1f\x7f-\x9f]/g, '')
  if (widthOf(clean) <= columns) return clean
  let width = 0
  let cut = ''
  for (const character of clean) {
    width += widthOf(character)
    if (width > columns) break
    cut += character
  }
  return cut
}

/** The columns that a text takes. Wide characters (CJK, emoji) take two. */
function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const character of text) {
    if (/\p{Mark}|\u200d|\ufe0f/u.test(character)) continue
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1
  }
  return width
}
