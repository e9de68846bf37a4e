/** The daemon's end of an exec's stdio: pipes, or one terminal. */
import type { OutputSink, TerminalSize } from '../../base/index.ts'

export interface ExecStdioOptions {
  /** True when the caller writes to the process's stdin. Otherwise stdin is /dev/null. */
  readonly stdin: boolean
  /** True when the output is read. Otherwise it goes to /dev/null, and the process outlives the daemon. */
  readonly output: boolean
}

export interface ExecStdio {
  /** Descriptors for the child: its number → ours. */
  readonly childEnds: ReadonlyMap<number, number>
  /** Path of the socket to which the runtime sends the terminal, if it does. */
  readonly consolePath: string | undefined
  /** Path of the terminal on which the runtime itself must run, when it sends none. */
  readonly terminalPath?: string | undefined
  /** Closes our copies of `childEnds`, once the child has its own. */
  closeChildEnds(): void
  /** Starts to carry data. Call this only when the process runs: what a failing runtime prints is not output. `ended`
   *  settles when the runtime has ended. */
  open(sink: OutputSink | undefined, ended: Promise<unknown>): Promise<void>
  /** Sends to stdin. When it returns false, wait for `onDrain` before the next write. */
  write(chunk: Buffer): boolean
  onDrain(callback: () => void): void
  endStdin(): void
  resize(size: TerminalSize): void
  /** Delivers the remaining output after the process has ended, then closes. Doesn't wait for children of the process
   *  that continue to write. */
  finish(): void
  /** Closes everything. Idempotent. */
  close(): void
}
