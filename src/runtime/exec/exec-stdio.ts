/** The daemon's end of an exec's stdio: pipes, or one terminal. */
import type { OutputSink, TerminalSize } from '../../base/index.ts'

export interface ExecStdioOptions {
  /** Whether the process's stdin can be written to; otherwise it is /dev/null. */
  readonly stdin: boolean
  /** Whether its output is read; otherwise it goes to /dev/null, and the process outlives the daemon. */
  readonly output: boolean
}

export interface ExecStdio {
  /** Descriptors for the child: its number, then ours to give. */
  readonly childEnds: ReadonlyMap<number, number>
  /** Where the runtime sends the terminal to. */
  readonly consolePath: string | undefined
  /** The terminal that the runtime itself is to have, when it does not send one. */
  readonly terminalPath?: string | undefined
  /** Closes our copies of what the child got. */
  closeChildEnds(): void
  /** Starts to carry data. Not before the process runs: what the runtime prints when it fails is not output. */
  open(sink: OutputSink | undefined, ended: Promise<unknown>): Promise<void>
  /** Sends to stdin. False: wait for `onDrain`. */
  write(chunk: Buffer): boolean
  onDrain(callback: () => void): void
  endStdin(): void
  resize(size: TerminalSize): void
  /** Hands on what is left after the process has ended, then closes. A child of its that goes on writing is not
   *  waited for. */
  finish(): void
  /** Closes everything. Idempotent. */
  close(): void
}
