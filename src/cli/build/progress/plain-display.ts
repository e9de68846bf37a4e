/** `--progress plain`: prints lines without ever going back. Each step has a number. The lines of one step stay
 *  together where possible; steps that run at the same time take turns. */

import type { Output } from '../../terminal/output.ts'
import type { BuildDisplay } from './build-display.ts'
import { type BuildStep, BuildSteps } from './build-steps.ts'
import type { BuildStatus } from './solve-status.ts'
import { failureLogs, formatAmount, formatLogLine, formatSeconds, formatStatus, isCancelled } from './step-text.ts'

/** The clock of the display. */
export interface PlainDisplayOptions {
  /** A clock in milliseconds, from any start. */
  readonly now?: () => number
}

/** After this long without output, a step gives its turn to another one. */
const turnMs = 5_000
/** A growing amount is printed this often. */
const amountMs = 2_000

/** What was printed of a step. */
interface Printed {
  lineCount: number
  readonly statuses: Map<string, { readonly text: string; readonly atMs: number }>
  isEnded: boolean
}

/** Prints the progress as lines of text. */
export class PlainDisplay implements BuildDisplay {
  readonly #output: Output
  readonly #now: () => number
  readonly #steps = new BuildSteps()
  readonly #printed = new Map<BuildStep, Printed>()
  #current: BuildStep | undefined
  #spokeMs = 0
  #isFirst = true

  constructor(output: Output, { now = () => performance.now() }: PlainDisplayOptions = {}) {
    this.#output = output
    this.#now = now
  }

  update(status: BuildStatus): void {
    this.#steps.update(status)
    const waiting = this.#steps.all.filter((step) => step.changed && step.index > 0)
    const ended = waiting.filter(({ completedMs }) => completedMs !== undefined)
    if (this.#current !== undefined && ended.includes(this.#current)) this.#print(this.#current)
    for (const step of ended) if (step.changed) this.#print(step)
    const running = waiting.filter(({ completedMs }) => completedMs === undefined)
    const current = this.#current
    const hasTurn = current !== undefined && current.completedMs === undefined
    if (hasTurn && running.includes(current)) this.#print(current)
    else if (running.length > 0 && (!hasTurn || this.#now() - this.#spokeMs > turnMs)) {
      this.#print(running.reduce((most, step) => (this.#news(step) > this.#news(most) ? step : most)))
    }
  }

  finish({ failed }: { readonly failed: boolean }): void {
    for (const step of this.#steps.all) if (step.changed && step.index > 0) this.#print(step)
    if (failed) this.#output.write(failureLogs(this.#steps.all))
  }

  /** The state of the steps. */
  get steps(): BuildSteps {
    return this.#steps
  }

  #news(step: BuildStep): number {
    return step.lineCount - (this.#printed.get(step)?.lineCount ?? 0)
  }

  #print(step: BuildStep): void {
    const known = this.#printed.get(step)
    const printed: Printed = known ?? { lineCount: 0, statuses: new Map(), isEnded: false }
    this.#printed.set(step, printed)
    step.changed = false
    const lines = [...this.#statusLines(step, printed), ...logLines(step, printed), ...endLines(step, printed)]
    // The step came again without a visible change.
    if (lines.length === 0 && known !== undefined) return
    if (this.#current !== step) {
      lines.unshift(step.name)
      if (!this.#isFirst) this.#output.write('\n')
    }
    this.#isFirst = false
    this.#current = step.completedMs === undefined ? step : undefined
    this.#spokeMs = this.#now()
    this.#output.write(lines.map((line) => `#${step.index} ${line}\n`).join(''))
  }

  *#statusLines(step: BuildStep, { statuses }: Printed): Iterable<string> {
    for (const status of step.statuses.values()) {
      const isDone = status.completed !== undefined
      const text = isDone ? `${formatStatus(status)}${durationOf(status)} done` : formatStatus(status)
      const before = statuses.get(status.id)
      if (before?.text === text) continue
      const atMs = this.#now()
      // Print the first report, the last one, and the amount from time to time.
      const isDue = before === undefined || isDone || atMs - before.atMs > amountMs
      if (!isDue) continue
      if (before === undefined && !isDone && formatAmount(status) === '' && step.completedMs !== undefined) continue
      statuses.set(status.id, { text, atMs })
      yield text
    }
  }
}

function durationOf({ started, completed }: { readonly started?: string; readonly completed?: string }): string {
  if (started === undefined || completed === undefined) return ''
  const ms = Date.parse(completed) - Date.parse(started)
  return ms < 50 ? '' : ` ${formatSeconds(ms)}`
}

function* logLines(step: BuildStep, printed: Printed): Iterable<string> {
  const fresh = Math.min(step.lineCount - printed.lineCount, step.lines.length)
  printed.lineCount = step.lineCount
  if (fresh > 0) for (const line of step.lines.slice(-fresh)) yield formatLogLine(line)
}

function* endLines(step: BuildStep, printed: Printed): Iterable<string> {
  // A step may continue after its end: the daemon asks for more of a context.
  if (step.completedMs === undefined) printed.isEnded = false
  if (step.completedMs === undefined || printed.isEnded) return
  printed.isEnded = true
  if (isCancelled(step)) yield 'CANCELED'
  else if (step.error !== undefined) yield `ERROR: ${step.error}`
  else if (step.cached) yield 'CACHED'
  else yield `DONE ${formatSeconds(step.completedMs - (step.startedMs ?? step.completedMs))}`
}
