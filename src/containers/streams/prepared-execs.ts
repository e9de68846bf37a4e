/** OCI runtimes for execs that were created and will most likely be started soon: they start up while the client sends
 *  its next request. A prepared runtime that is not used within a second is ended; it has done nothing by then. */
import type { ExecConfig } from '../../api/index.ts'
import { messageOf } from '../../base/index.ts'
import type { ExecLaunch, ExecPlan } from '../../runtime/index.ts'
import type { ExecProcess } from '../live/exec-process.ts'
import type { ContainerContext } from '../record/dependencies.ts'

const waitMs = 1000
/** Each takes a few megabytes. Execs beyond this number get their runtime when they are started. */
const maxWaiting = 8

/** The prepared runtimes, by exec id. */
export class PreparedExecs {
  readonly #context: ContainerContext
  readonly #waiting = new Map<string, ExecLaunch>()

  constructor(context: ContainerContext) {
    this.#context = context
  }

  /** Starts the runtime of an exec. Never throws: the exec's own start meets the same failure and reports it. */
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

  /** Gives the exec's prepared runtime to the caller, who must use or discard it; undefined if there is none. */
  take(execId: string): ExecLaunch | undefined {
    const launch = this.#waiting.get(execId)
    this.#waiting.delete(execId)
    return launch
  }
}

/** What the exec needs if it is not started detached. */
function planOf({ AttachStdin, AttachStdout, AttachStderr, Tty, BerthTools }: ExecConfig): ExecPlan {
  return {
    terminal: Tty === true,
    stdin: AttachStdin === true,
    output: AttachStdin === true || AttachStdout === true || AttachStderr === true,
    tools: BerthTools === true,
  }
}
