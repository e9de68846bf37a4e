/** Build failures that clients show in a form of their own. */
import { BerthError } from '../../base/index.ts'
import { excerptOf, type LogicalLine, type SourceRange } from '../dockerfile/index.ts'

/** A RUN whose process exited with a code other than 0. */
export class CommandFailedError extends BerthError {
  readonly command: string
  readonly exitCode: number

  /** The lines of the instruction. */
  readonly range: SourceRange

  /** Lines of the Dockerfile around the instruction, with the instruction marked. */
  readonly excerpt: string

  /** `reason` adds what is known beside the exit code. */
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
