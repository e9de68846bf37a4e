import type { OpenTunnel } from '../../client/index.ts'
import type { RunProgram } from '../../config/client/index.ts'
import type { Input } from '../terminal/input.ts'
import type { Output } from '../terminal/output.ts'

/** Runs a program on this one's terminal, with this environment; gives its exit code, rejects when it can't be started. */
export type RunPlugin = (
  path: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
) => Promise<number>

/** What `main` may be given besides the command line; tests give all of it. */
export interface MainOptions {
  /** Starts a daemon when none listens on the default socket; resolves when it does. */
  readonly onNoDaemon?: (socketPath: string) => Promise<void>
  /** Switches the terminal's input and output to raw; resolves with what switches back. Without it Node's raw mode is
   *  used, which still translates line ends of the output. */
  readonly makeTerminalRaw?: () => Promise<() => void>
  /** Runs a credential helper. Without it there are none. */
  readonly runProgram?: RunProgram
  /** Runs plugins of docker's command line. Without it there are none. */
  readonly runPlugin?: RunPlugin
  /** Starts ssh. Without it daemons behind ssh can't be reached. */
  readonly openTunnel?: OpenTunnel
  readonly output?: Output
  readonly errors?: Output
  readonly input?: Input
  readonly environment?: Readonly<Record<string, string | undefined>>
}
