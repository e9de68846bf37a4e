/** Runs a build: opens the session, answers the daemon's requests, shows the progress, and gives the result. */
import type {
  BuildErrorEvent,
  BuildEvent,
  BuildExplainEvent,
  BuildRequest,
  BuildWarningEvent,
} from '../../api/index.ts'
import { BerthError, messageOf } from '../../base/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext } from '../command/command.ts'
import { registryConfigOf } from '../login/registry-auth.ts'
import type { BuildDisplay } from './progress/build-display.ts'
import { toBuildStatus } from './progress/solve-events.ts'
import { type ServiceOptions, SessionService } from './session-service.ts'

/** The result for one target. */
export interface TargetResult {
  id: string
  tags: readonly string[]
  metadata: Record<string, unknown>
}

/** How a build ended. */
export interface BuildOutcome {
  /** In the order of the request's targets. */
  readonly targets: readonly TargetResult[]
  readonly warnings: readonly BuildWarningEvent[]
  readonly explanations: readonly BuildExplainEvent[]
  /** Undefined when the build succeeded. */
  readonly error: BuildErrorEvent | undefined
  /** The error of the client's own part, if that failed. */
  readonly failure: unknown
}

/** What a build needs to run. */
export interface RunBuildOptions extends Omit<ServiceOptions, 'output'> {
  readonly display: BuildDisplay
}

const interrupted = 130

/** Resolves also when the build fails. Throws when the daemon can't be reached or closes the connection. */
export async function runBuild(
  context: CliContext,
  request: BuildRequest,
  { display, ...options }: RunBuildOptions,
): Promise<BuildOutcome> {
  const session = await context.client.builds.open({ registryConfig: await registryConfigOf(context) })
  const service = new SessionService(session, { ...options, output: context.output })
  const collector = new Collector(request.targets.length)
  const unwatch = onInterrupt(() => session.send({ type: 'cancel' }))
  try {
    session.send(request)
    for await (const message of session.messages()) {
      if ('channel' in message) {
        service.answer(message)
        continue
      }
      collector.take(message)
      const status = toBuildStatus(message, context.now())
      if (status !== undefined) display.update(status)
    }
    const failure = await service.settled()
    if (!collector.isOver)
      throw new BerthError('unavailable', 'the daemon closed the connection before the build was done')
    display.finish({ failed: collector.error !== undefined })
    return { ...collector.outcome, failure }
  } catch (error) {
    display.finish({ failed: true })
    throw new CliError(1, `ERROR: failed to build: ${messageOf(error)}`, { cause: error })
  } finally {
    unwatch()
    session.close()
  }
}

class Collector {
  readonly #targets: TargetResult[]
  readonly #warnings: BuildWarningEvent[] = []
  readonly #explanations: BuildExplainEvent[] = []
  error: BuildErrorEvent | undefined
  isOver = false

  constructor(targets: number) {
    this.#targets = Array.from({ length: targets }, () => ({ id: '', tags: [], metadata: {} }))
  }

  get outcome(): Omit<BuildOutcome, 'failure'> {
    const { error } = this
    return { targets: this.#targets, warnings: this.#warnings, explanations: this.#explanations, error }
  }

  take(event: BuildEvent): void {
    if (event.type === 'warning') this.#warnings.push(event)
    else if (event.type === 'explain') this.#explanations.push(event)
    else if (event.type === 'aux') Object.assign(this.#targets[event.target] ?? {}, { id: event.id, tags: event.tags })
    else if (event.type === 'metadata') Object.assign(this.#targets[event.target]?.metadata ?? {}, event.values)
    else if (event.type === 'error') {
      this.error = event
      this.isOver = true
    } else if (event.type === 'done') this.isOver = true
  }
}

/** The first interrupt asks the daemon to cancel the build. A second one ends the command at once. */
function onInterrupt(cancel: () => void): () => void {
  let count = 0
  const signals = ['SIGINT', 'SIGTERM'] as const
  const handler = (): void => {
    count += 1
    if (count === 1) cancel()
    else process.exit(interrupted)
  }
  for (const signal of signals) process.on(signal, handler)
  return () => {
    for (const signal of signals) process.off(signal, handler)
  }
}
