/** The state of a build's steps, from the events so far. The displays draw it. */
import type { BuildStatus, BuildVertex, BuildVertexLog, BuildVertexStatus, BuildWarning } from './solve-status.ts'

/** A line that a step's program wrote, and its time since the step began. */
export interface LogLine {
  readonly seconds: number
  readonly text: string
}

/** The state of one step. */
export interface BuildStep {
  readonly digest: string
  /** The step's number, from 1, in the order in which steps began. 0: not begun. */
  index: number
  name: string
  startedMs: number | undefined
  completedMs: number | undefined
  cached: boolean
  error: string | undefined
  readonly statuses: Map<string, BuildVertexStatus>
  /** The last lines, the oldest first. */
  readonly lines: LogLine[]
  /** The number of all lines so far. */
  lineCount: number
  /** The end of the output so far, if the line is not complete. */
  partial: string
  /** True if the step has changed since it was last drawn. */
  changed: boolean
}

/** The number of lines kept for each step, to be shown again if it fails. */
const keptLines = 1000

/** The steps of one build. */
export class BuildSteps {
  readonly #steps = new Map<string, BuildStep>()
  readonly #decoders = new Map<string, TextDecoder>()
  readonly #warnings: BuildWarning[] = []
  #begun = 0

  /** Takes an update; gives the steps that it concerns. */
  update(status: BuildStatus): ReadonlySet<BuildStep> {
    const changed = new Set<BuildStep>()
    for (const vertex of status.vertexes ?? []) changed.add(this.#vertex(vertex))
    for (const one of status.statuses ?? []) changed.add(this.#status(one))
    for (const log of status.logs ?? []) changed.add(this.#log(log))
    this.#warnings.push(...(status.warnings ?? []))
    for (const step of changed) step.changed = true
    return changed
  }

  /** All known steps, in the order in which they appeared. */
  get all(): readonly BuildStep[] {
    return [...this.#steps.values()]
  }

  /** The warnings of build checks so far. */
  get warnings(): readonly BuildWarning[] {
    return this.#warnings
  }

  /** The number of completed steps. */
  get completedCount(): number {
    return this.all.filter(({ completedMs }) => completedMs !== undefined).length
  }

  #step(digest: string): BuildStep {
    const known = this.#steps.get(digest)
    if (known !== undefined) return known
    const step: BuildStep = {
      digest,
      index: 0,
      name: '',
      startedMs: undefined,
      completedMs: undefined,
      cached: false,
      error: undefined,
      statuses: new Map(),
      lines: [],
      lineCount: 0,
      partial: '',
      changed: true,
    }
    this.#steps.set(digest, step)
    return step
  }

  #vertex({ digest, name, started, completed, cached = false, error }: BuildVertex): BuildStep {
    const step = this.#step(digest)
    step.name = name
    if (started !== undefined) {
      step.startedMs = Date.parse(started)
      if (step.index === 0) step.index = this.#begun += 1
    }
    step.completedMs = completed === undefined ? undefined : Date.parse(completed)
    step.cached = cached
    step.error = error === undefined || error === '' ? undefined : error
    if (completed !== undefined) flushPartial(step, step.completedMs)
    return step
  }

  #status(status: BuildVertexStatus): BuildStep {
    const step = this.#step(status.vertex)
    step.statuses.set(status.id, status)
    return step
  }

  #log({ vertex, stream, data, timestamp }: BuildVertexLog): BuildStep {
    const step = this.#step(vertex)
    const key = `${stream} ${vertex}`
    const decoder = this.#decoders.get(key) ?? new TextDecoder()
    this.#decoders.set(key, decoder)
    const text = step.partial + decoder.decode(Buffer.from(data, 'base64'), { stream: true })
    const parts = text.split('\n')
    step.partial = parts.pop() ?? ''
    for (const part of parts) addLine(step, part, Date.parse(timestamp))
    return step
  }
}

function flushPartial(step: BuildStep, atMs: number | undefined): void {
  if (step.partial === '') return
  addLine(step, step.partial, atMs ?? Date.now())
  step.partial = ''
}

function addLine(step: BuildStep, text: string, atMs: number): void {
  step.lines.push({ seconds: Math.max(0, (atMs - (step.startedMs ?? atMs)) / 1000), text: lastOverprint(text) })
  step.lineCount += 1
  if (step.lines.length > keptLines) step.lines.splice(0, step.lines.length - keptLines)
}

/** What remains visible of a line that overwrites itself (`10%\r20%\r`). */
function lastOverprint(text: string): string {
  const trimmed = text.replace(/\r+$/, '')
  return trimmed.slice(trimmed.lastIndexOf('\r') + 1)
}
