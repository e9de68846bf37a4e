/** What the `/exec` routes ask of an engine. */
import type { ExecConfig, ExecInspect } from '../api/index.ts'
import type { TerminalSize } from '../base/index.ts'
import type { AttachIo, OutputSource } from './streams.ts'

/** How an exec is started. `tty` decides whether its output is sent without frames; `consoleSize` is the initial size
 *  of the terminal. */
export interface StartExecOptions {
  readonly detach: boolean
  readonly tty: boolean
  readonly consoleSize?: TerminalSize | undefined
}

/** What the `/exec` routes and `POST /containers/{id}/exec` call. `execId` is the whole id; an unknown one rejects with
 *  `notFound`. */
export interface ExecBackend {
  /** Notes what is to run, without starting it. Rejects with `conflict` when the container does not run. */
  create(containerId: string, config: ExecConfig): Promise<{ readonly Id: string }>
  /** With `detach` the process runs when this resolves, and `run` is not called. Otherwise `run` starts the process and
   *  ends with it; a failed start rejects here or in `run`. */
  start(execId: string, options: StartExecOptions): Promise<OutputSource<AttachIo>>
  inspect(execId: string): Promise<ExecInspect>
  /** Waits a moment for an exec that is being started. Rejects with `conflict` when it does not run. */
  resize(execId: string, size: TerminalSize): Promise<void>
}
