/** `berth stats`: one request for each container; the screen is redrawn every half second. */
import type { ContainerStats } from '../../../api/index.ts'
import { isKind, messageOf } from '../../../base/index.ts'
import { CliError } from '../../command/cli-error.ts'
import type { CliContext, Command } from '../../command/command.ts'
import { tableFormatFlag } from '../../command/list-flags.ts'
import { formatList } from '../../format/list-formatter.ts'
import { type StatsRow, statsFormat, statsLayout } from './stats-layout.ts'

const pictureMs = 500
const clearScreen = '\x1b[2J\x1b[H'

export const command: Command = {
  usage: '[OPTIONS] [CONTAINER...]',
  operands: { min: 0 },
  flags: [
    { name: 'all', short: 'a', type: 'bool', help: 'Also show containers that do not run' },
    tableFormatFlag,
    { name: 'no-stream', type: 'bool', help: 'Print the first result only, then exit' },
    { name: 'no-trunc', type: 'bool', help: 'Do not truncate the output' },
  ],
  async run(context, flags, names) {
    const layout = statsLayout({ truncate: !flags.bool('no-trunc') })
    const format = statsFormat(flags.string('format') || context.settings.file().statsFormat || '')
    const watch = new Watch(context, !flags.bool('no-stream'))
    const known = async (): Promise<readonly string[]> =>
      names.length > 0 ? names : (await context.client.containers.list({ all: flags.bool('all') })).map(({ Id }) => Id)
    const show = (): string => formatList(watch.rows(), format, layout)
    if (flags.bool('no-stream')) {
      await watch.once(await known())
      watch.throwFailures()
      context.output.write(show())
      return 0
    }
    for (;;) {
      for (const id of await known()) watch.begin(id)
      await new Promise((resolve) => setTimeout(resolve, pictureMs))
      // A named container that does not exist ends the command. Without names, containers may come and go.
      if (names.length > 0) watch.throwFailures()
      context.output.write(`${context.output.isTerminal ? clearScreen : ''}${show()}`)
      if (names.length > 0 && watch.isOver) return 0
    }
  },
}

/** The running requests. */
class Watch {
  readonly #context: CliContext
  readonly #stream: boolean
  readonly #rows = new Map<string, StatsRow>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #failures: string[] = []

  constructor(context: CliContext, stream: boolean) {
    this.#context = context
    this.#stream = stream
  }

  get isOver(): boolean {
    return this.#running.size === 0
  }

  /** In the order in which the requests began. */
  rows(): readonly StatsRow[] {
    return [...this.#rows.values()]
  }

  async once(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.begin(id)
    await Promise.all(this.#running.values())
  }

  begin(id: string): void {
    if (this.#running.has(id)) return
    this.#rows.set(id, { container: id, stats: undefined })
    this.#running.set(
      id,
      this.#follow(id).finally(() => this.#running.delete(id)),
    )
  }

  throwFailures(): void {
    if (this.#failures.length > 0) throw new CliError(1, this.#failures.join('\n'))
  }

  async #follow(id: string): Promise<void> {
    try {
      const readings: AsyncIterable<ContainerStats> = this.#context.client.containerIo.stats(id, {
        stream: this.#stream,
      })
      for await (const stats of readings) this.#rows.set(id, { container: id, stats })
      if (this.#stream) this.#rows.delete(id)
    } catch (error) {
      this.#rows.delete(id)
      if (!isKind(error, 'cancelled')) this.#failures.push(messageOf(error))
    }
  }
}
