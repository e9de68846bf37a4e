/** Exit codes of `run`, `start` and `exec` when the daemon could not start the program. */
import { messageOf } from '../../../base/index.ts'
import { CliError } from '../../command/cli-error.ts'

/** 127: not there, 126: cannot be run, else `other`. The API has no field for this: Docker's own CLI reads it from the
 *  message, and Berth's daemon words its messages for that. */
export function startFailureCode(error: unknown, other: number): number {
  const message = messageOf(error)
  if (/executable file not found|no such file or directory|cannot find the file specified/.test(message)) return 127
  if (/permission denied|is a directory/i.test(message)) return 126
  return other
}

/** What ends `exec` and `enter` after a failure: with the code of one, or as the command line has worded it already. */
export function startFailure(error: unknown): CliError {
  if (error instanceof CliError) return error
  return new CliError(startFailureCode(error, 1), messageOf(error), { cause: error })
}
