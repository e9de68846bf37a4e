/** The exit codes of `run`, `start` and `exec` when the daemon could not start the program. */
import { messageOf } from '../../../base/index.ts'
import { CliError } from '../../command/cli-error.ts'

/** Gives 127 for a program that does not exist, 126 for one that can't be executed, else `other`. The API has no field
 *  for this: Docker's CLI reads it from the message, and the messages of Berth's daemon allow that. */
export function startFailureCode(error: unknown, other: number): number {
  const message = messageOf(error)
  if (/executable file not found|no such file or directory|cannot find the file specified/.test(message)) return 127
  if (/permission denied|is a directory/i.test(message)) return 126
  return other
}

/** The error that ends `exec` and `enter`: with such an exit code, or unchanged if it is a CliError already. */
export function startFailure(error: unknown): CliError {
  if (error instanceof CliError) return error
  return new CliError(startFailureCode(error, 1), messageOf(error), { cause: error })
}
