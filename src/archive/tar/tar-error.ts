import { BerthError } from '../../base/index.ts'

/** An archive that is no valid tar, or ends early. */
export function tarError(message: string, cause?: unknown): BerthError {
  return new BerthError('invalidArgument', `invalid tar archive: ${message}`, cause === undefined ? {} : { cause })
}
