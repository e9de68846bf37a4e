/** Failures of a build that its clients show in their own words. */
import { BerthError } from '../base/index.ts'

/** A RUN whose process ended with another code than 0. */
export class CommandFailedError extends BerthError {
  readonly command: string
  readonly exitCode: number

  constructor(command: string, exitCode: number, { oomKilled = false } = {}) {
    const why = oomKilled ? ' (out of memory)' : ''
    super(
      'internal',
      `process ${JSON.stringify(command)} did not complete successfully: exit code: ${exitCode}${why}`,
      {
        details: { exitCode },
      },
    )
    this.name = 'CommandFailedError'
    this.command = command
    this.exitCode = exitCode
  }
}
