/** A Dockerfile's text as lines, and positions in it. Lines and columns count from 1; a column is a UTF-16 unit. */

/** A character's place. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** From the first character to behind the last one. */
export interface SourceRange {
  readonly start: Position
  readonly end: Position
}

/** One file's text, cut into lines. */
export interface SourceText {
  /** The name that messages show. */
  readonly file: string
  /** Without line ends, and without a byte order mark. */
  readonly lines: readonly string[]
  /** As they stand, line ends included: what a here-document contains. */
  readonly rawLines: readonly string[]
}

/** Cuts `text` into lines; LF and CRLF end a line, a byte order mark at the start is dropped. */
export function sourceText(text: string, file: string): SourceText {
  const rawLines = text.replace(/^\uFEFF/, '').match(/[^\n]*\n|[^\n]+$/g) ?? []
  return { file, rawLines, lines: rawLines.map((line) => line.replace(/[\r\n]+$/, '')) }
}

/** The range that covers line `first` to line `last` (1-based, both included). */
export function lineRange(source: SourceText, first: number, last: number = first): SourceRange {
  return {
    start: { line: first, column: 1 },
    end: { line: last, column: (source.lines[last - 1] ?? '').length + 1 },
  }
}
