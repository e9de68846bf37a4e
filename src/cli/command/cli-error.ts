/** Errors with an exit code of their own. */
import { messageOf } from '../../base/index.ts'

/** Ends the program with `exitCode`; an empty message prints nothing. */
export class CliError extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.exitCode = exitCode
  }
}

/** `berth: …` and where to find help, as `run` and `exec` end with when the daemon refuses. */
export function withHelpHint(error: unknown, commandPath: string): string {
  return `berth: ${messageOf(error)}\n\nRun '${commandPath} --help' for more information`
}
