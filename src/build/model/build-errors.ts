/** Failures of a build that its clients show in their own words. */
import { BerthError } from '../../base/index.ts'
import { excerptOf, type LogicalLine, type SourceRange } from '../dockerfile/index.ts'

/** A RUN whose process ended with another code than 0. */
export class CommandFailedError extends BerthError {
  readonly command: string
  readonly exitCode: number

  /** Of the instruction. */
  readonly range: SourceRange

  /** The lines of the Dockerfile with the step's marked. */
  readonly excerpt: string

  /** `reason`: what is known of it beside the code. */
  constructor(
    command: string,
    exitCode: number,
    line: LogicalLine,
    { oomKilled = false, reason }: { readonly oomKilled?: boolean; readonly reason?: string | undefined } = {},
  ) {
    const why = `${oomKilled ? ' (out of memory)' : ''}${reason === undefined ? '' : `: ${reason}`}`
    super(
      'internal',
      `process ${JSON.stringify(command)} did not complete successfully: exit code: ${exitCode}${why}`,
      {
        details: { exitCode, file: line.source.file, line: line.range.start.line, column: 1 },
      },
    )
    this.name = 'CommandFailedError'
    this.command = command
    this.exitCode = exitCode
    this.range = line.range
    this.excerpt = excerptOf(line.source, line.range)
  }
}
