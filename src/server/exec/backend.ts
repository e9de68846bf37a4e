import type { ExecConfig, ExecInspect } from '../../api/index.ts'
import type { AttachIo, OutputSource, TerminalSize } from '../containers/index.ts'

export interface StartExecOptions {
  readonly detach: boolean
  readonly tty: boolean
  readonly consoleSize?: TerminalSize | undefined
}

/** What the `/exec` routes and `POST /containers/{id}/exec` call. */
export interface ExecBackend {
  create(containerId: string, config: ExecConfig): Promise<{ readonly Id: string }>
  /** With `detach` the process was started when this resolves and `run` is not called.
   *  Otherwise the process is started by `run`, which ends with it; a failure to start rejects here or in `run`. */
  start(execId: string, options: StartExecOptions): Promise<OutputSource<AttachIo>>
  inspect(execId: string): Promise<ExecInspect>
  resize(execId: string, size: TerminalSize): Promise<void>
}
