/** Errors with an exit code. */
import { messageOf } from '../../base/index.ts'

/** Ends the program with `exitCode`. An empty message prints nothing. */
export class CliError extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.exitCode = exitCode
  }
}

/** Docker's error text of `run` and `exec` when the daemon refuses: the message and a hint at `--help`. */
export function withHelpHint(error: unknown, commandPath: string): string {
  return `berth: ${messageOf(error)}\n\nRun '${commandPath} --help' for more information`
}
