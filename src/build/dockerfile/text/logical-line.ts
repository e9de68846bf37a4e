/** The text of one instruction after its physical lines were joined, with the place of each character in the file. */
import { DockerfileError } from './dockerfile-error.ts'
import type { Position, SourceRange, SourceText } from './source-text.ts'

/** A here-document and its text. */
export interface HeredocText {
  /** The terminator, without quotes. */
  readonly name: string
  /** `<<-`: leading tabs are removed. */
  readonly stripTabs: boolean
  /** False when the word was quoted: variables are not expanded. */
  readonly expand: boolean
  /** The number before `<<`. Default: 0. */
  readonly descriptor: number
  /** The lines between, including line ends, as in the file. */
  readonly content: string
}

/** The parts of a logical line. */
export interface LogicalLineParts {
  readonly source: SourceText
  /** The joined text, without continuation characters, comments and leading white space. */
  readonly text: string
  /** Where pieces of `text` begin in the file, in order. */
  readonly pieces: readonly { readonly offset: number; readonly at: Position }[]
  readonly range: SourceRange
  readonly heredocs: readonly HeredocText[]
  /** The comment lines right above, without `#`. */
  readonly comments: readonly string[]
  /** Line number of the first empty line after a continuation character. */
  readonly emptyContinuation?: number
}

/** A joined line, or its end from some offset on (see `rest`), which is the trigger of an ONBUILD. */
export class LogicalLine {
  readonly text: string
  readonly #parts: LogicalLineParts
  readonly #offset: number

  constructor(parts: LogicalLineParts, offset = 0) {
    this.#parts = parts
    this.#offset = offset
    this.text = parts.text.slice(offset)
  }

  get source(): SourceText {
    return this.#parts.source
  }

  /** The physical lines of the instruction. */
  get range(): SourceRange {
    return this.#parts.range
  }

  get heredocs(): readonly HeredocText[] {
    return this.#parts.heredocs
  }

  get comments(): readonly string[] {
    return this.#parts.comments
  }

  /** Line number of the first empty line after a continuation character. */
  get emptyContinuation(): number | undefined {
    return this.#parts.emptyContinuation
  }

  /** The line from `offset` of its text on, with the same range. */
  rest(offset: number): LogicalLine {
    return new LogicalLine(this.#parts, this.#offset + offset)
  }

  /** The place in the file of the character at `offset`. */
  locate(offset: number): Position {
    const wanted = offset + this.#offset
    const piece = this.#parts.pieces.findLast((one) => one.offset <= wanted)
    if (piece === undefined) return this.range.start
    return { line: piece.at.line, column: piece.at.column + wanted - piece.offset }
  }

  /** An error for this line that points at the character at `offset`. */
  error(problem: string, offset = 0, cause?: unknown): DockerfileError {
    const place = { source: this.source, range: this.range, at: this.locate(offset) }
    return new DockerfileError(problem, place, { cause })
  }
}
