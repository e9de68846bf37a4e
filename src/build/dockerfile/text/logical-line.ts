/** One instruction's text after its physical lines were joined, and the way back to where each character stood. */
import { DockerfileError } from './dockerfile-error.ts'
import type { Position, SourceRange, SourceText } from './source-text.ts'

/** A here-document with its text. */
export interface HeredocText {
  /** The terminator, without quotes. */
  readonly name: string
  /** `<<-`: leading tabs go. */
  readonly stripTabs: boolean
  /** False when the word was quoted: variables stay as they are. */
  readonly expand: boolean
  /** The number before `<<`; 0 when there is none. */
  readonly descriptor: number
  /** The lines between, line ends included, as they stand in the file. */
  readonly content: string
}

/** What a logical line is made of. */
export interface LogicalLineParts {
  readonly source: SourceText
  /** Joined, without the continuation characters, comments and leading white space. */
  readonly text: string
  /** Where pieces of `text` begin in the file, in order. */
  readonly pieces: readonly { readonly offset: number; readonly at: Position }[]
  readonly range: SourceRange
  readonly heredocs: readonly HeredocText[]
  /** The comment lines right above, without `#`. */
  readonly comments: readonly string[]
  /** The first empty line that follows a continuation character. */
  readonly emptyContinuation?: number
}

/** A joined line, or (see `rest`) its end from an offset on: the trigger in ONBUILD. */
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

  get range(): SourceRange {
    return this.#parts.range
  }

  get heredocs(): readonly HeredocText[] {
    return this.#parts.heredocs
  }

  get comments(): readonly string[] {
    return this.#parts.comments
  }

  get emptyContinuation(): number | undefined {
    return this.#parts.emptyContinuation
  }

  /** The line from `offset` of its text on, with the same range. */
  rest(offset: number): LogicalLine {
    return new LogicalLine(this.#parts, this.#offset + offset)
  }

  /** Where the character at `offset` of the text stands in the file. */
  locate(offset: number): Position {
    const wanted = offset + this.#offset
    const piece = this.#parts.pieces.findLast((one) => one.offset <= wanted)
    if (piece === undefined) return this.range.start
    return { line: piece.at.line, column: piece.at.column + wanted - piece.offset }
  }

  /** The error for this line, pointing at the character at `offset`. */
  error(problem: string, offset = 0, cause?: unknown): DockerfileError {
    const place = { source: this.source, range: this.range, at: this.locate(offset) }
    return new DockerfileError(problem, place, { cause })
  }
}
