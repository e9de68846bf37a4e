import type { OpenTunnel } from '../../client/index.ts'
import type { RunProgram } from '../../config/client/index.ts'
import type { Input } from '../terminal/input.ts'
import type { Output } from '../terminal/output.ts'

/** Runs a program on this terminal with this environment. Gives its exit code; rejects when it can't be started. */
export type RunPlugin = (
  path: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
) => Promise<number>

/** The parameters of `main` besides the command line. Tests supply all of them. */
export interface MainOptions {
  /** Starts a daemon when none listens on the default socket. Resolves when it listens. */
  readonly onNoDaemon?: (socketPath: string) => Promise<void>
  /** Switches the terminal to raw input and output. Resolves with a function that switches back. Without it, Node's raw
   *  mode is used, which still translates line ends of the output. */
  readonly makeTerminalRaw?: () => Promise<() => void>
  /** Runs a credential helper. Without it, no helper is used. */
  readonly runProgram?: RunProgram
  /** Runs plugins of docker's command line. Without it, there are none. */
  readonly runPlugin?: RunPlugin
  /** Starts ssh. Without it, daemons behind ssh can't be reached. */
  readonly openTunnel?: OpenTunnel
  readonly output?: Output
  readonly errors?: Output
  readonly input?: Input
  readonly environment?: Readonly<Record<string, string | undefined>>
}
