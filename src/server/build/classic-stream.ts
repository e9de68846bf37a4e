/** The stream that Docker's classic builder writes: `Step 1/5 : …`, ids, and the output of processes. Stages are built
 *  in parallel but shown one after another: the lines of a stage wait until the stages before it are complete. */
import type { BuildEvent } from '../../api/index.ts'
import { messageOf, shortId } from '../../base/index.ts'
import type { BuildStepReport } from '../../contract/index.ts'

/** A line of the stream. */
export type ClassicMessage = Readonly<Record<string, unknown>>

interface ShownStage {
  readonly steps: number
  /** Number of the stage's FROM among the steps of the whole build. */
  readonly first: number
  readonly held: ClassicMessage[]
  done: number
  running: string | undefined
}

export class ClassicStream {
  readonly #write: (message: ClassicMessage) => void
  readonly #order: number[] = []
  readonly #stages = new Map<number, ShownStage>()
  #total = 0
  #shown = 0

  constructor(write: (message: ClassicMessage) => void) {
    this.#write = write
  }

  plan(stages: readonly { readonly stage: number; readonly steps: number }[]): void {
    for (const { stage, steps } of stages) {
      this.#order.push(stage)
      this.#stages.set(stage, { steps, first: this.#total + 1, held: [], done: 0, running: undefined })
      this.#total += steps
    }
  }

  step({ stage: index, step, phase, text, id }: BuildStepReport): void {
    const stage = this.#stages.get(index)
    if (stage === undefined) return
    switch (phase) {
      case 'begin':
        this.#say(index, `Step ${stage.first + step}/${this.#total} : ${text}\n`)
        return
      case 'running':
        stage.running = shortId(id ?? '')
        this.#say(index, ` ---> Running in ${stage.running}\n`)
        return
      case 'cached':
        this.#say(index, ' ---> Using cache\n')
        return
      case 'done':
        if (stage.running !== undefined) this.#say(index, ` ---> Removed intermediate container ${stage.running}\n`)
        stage.running = undefined
        this.#say(index, ` ---> ${shortId(id ?? '')}\n`)
        stage.done = step + 1
        this.#advance()
        return
      case 'failed':
        if (stage.running !== undefined) this.#say(index, `Removing intermediate container ${stage.running}\n`)
        this.#flush(index)
        return
    }
  }

  event(event: BuildEvent): void {
    if (event.type === 'log') {
      const stage = Number(event.vertex.split('.')[0])
      this.#say(stage, event.stream === 1 ? event.text : `\u001b[91m${event.text}\u001b[0m`)
    } else if (event.type === 'status' && event.name !== undefined) {
      const { current, total } = event
      const detail = current === undefined ? {} : { current, ...(total === undefined ? {} : { total }) }
      this.#write({ status: event.name, progressDetail: detail, id: event.id })
    } else if (event.type === 'warning' && event.rule === undefined) {
      this.#write({ stream: `[Warning] ${event.message}\n` })
    } else if (event.type === 'aux') {
      this.#write({ aux: { ID: event.id } })
    }
  }

  #say(index: number, text: string): void {
    const message = { stream: text }
    const stage = this.#stages.get(index)
    if (stage === undefined || this.#order[this.#shown] === index) this.#write(message)
    else stage.held.push(message)
  }

  /** Shows the next stage if the current one is complete. */
  #advance(): void {
    for (;;) {
      const index = this.#order[this.#shown]
      const stage = index === undefined ? undefined : this.#stages.get(index)
      if (index === undefined || stage === undefined || stage.done < stage.steps) return
      this.#shown += 1
      const next = this.#order[this.#shown]
      if (next !== undefined) this.#flush(next)
    }
  }

  #flush(index: number): void {
    for (const message of this.#stages.get(index)?.held.splice(0) ?? []) this.#write(message)
  }
}

/** The last line of a failed build. */
export function classicError(error: unknown): ClassicMessage {
  const { exitCode, command } = error as { readonly exitCode?: unknown; readonly command?: unknown }
  if (typeof exitCode === 'number' && typeof command === 'string') {
    const message = `The command '${command}' returned a non-zero code: ${exitCode}`
    return { errorDetail: { code: exitCode, message }, error: message }
  }
  const message = messageOf(error)
  return { errorDetail: { message }, error: message }
}
