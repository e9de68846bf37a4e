import { BerthError } from '../../base/index.ts'

/** The error for an archive that is not valid tar or ends early. */
export function tarError(message: string, cause?: unknown): BerthError {
  return new BerthError('invalidArgument', `invalid tar archive: ${message}`, cause === undefined ? {} : { cause })
}
