/** Runtimes of execs that were created and will most likely be started at once: they start up while the client is on
 *  its way with the next request. One that nobody starts soon is ended; it has done nothing by then. */
import type { ExecConfig } from '../../api/index.ts'
import { messageOf } from '../../base/index.ts'
import type { ExecLaunch, ExecPlan } from '../../runtime/index.ts'
import type { ExecProcess } from '../live/exec-process.ts'
import type { ContainerContext } from '../record/dependencies.ts'

const waitMs = 1000
/** Each takes some megabytes. More at once start up when they are started. */
const maxWaiting = 8

export class PreparedExecs {
  readonly #context: ContainerContext
  readonly #waiting = new Map<string, ExecLaunch>()

  constructor(context: ContainerContext) {
    this.#context = context
  }

  /** Never fails: what is in the way will be met by the start again, which can say so. */
  prepare({ id, containerId, config }: ExecProcess): void {
    if (this.#waiting.size >= maxWaiting) return
    try {
      const launch = this.#context.runtime.get(containerId).execs.prepare(planOf(config))
      if (launch === undefined) return
      this.#waiting.set(id, launch)
      this.#context.clock.after(waitMs, () => this.take(id)?.discard(), { background: true })
    } catch (error) {
      this.#context.logger.debug('exec not prepared', { container: containerId, error: messageOf(error) })
    }
  }

  /** The exec's runtime, the caller's from now on. */
  take(execId: string): ExecLaunch | undefined {
    const launch = this.#waiting.get(execId)
    this.#waiting.delete(execId)
    return launch
  }
}

/** What an exec needs, unless it is started detached. */
function planOf({ AttachStdin, AttachStdout, AttachStderr, Tty, BerthTools }: ExecConfig): ExecPlan {
  return {
    terminal: Tty === true,
    stdin: AttachStdin === true,
    output: AttachStdin === true || AttachStdout === true || AttachStderr === true,
    tools: BerthTools === true,
  }
}
