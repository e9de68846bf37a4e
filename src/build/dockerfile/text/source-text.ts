/** A Dockerfile's text as lines, and positions in it. Lines and columns count from 1. Columns are UTF-16 units. */

/** The place of a character. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** From the first character to the one after the last. */
export interface SourceRange {
  readonly start: Position
  readonly end: Position
}

/** The lines of a file. */
export interface SourceText {
  /** The file name for messages. */
  readonly file: string
  /** Without line ends and byte order mark. */
  readonly lines: readonly string[]
  /** Including line ends, as in the file, for the contents of here-documents. */
  readonly rawLines: readonly string[]
}

/** Splits `text` into lines. LF and CRLF end a line. A byte order mark at the start is dropped. */
export function sourceText(text: string, file: string): SourceText {
  const rawLines = text.replace(/^\uFEFF/, '').match(/[^\n]*\n|[^\n]+$/g) ?? []
  return { file, rawLines, lines: rawLines.map((line) => line.replace(/[\r\n]+$/, '')) }
}

/** The range from line `first` to line `last` (1-based, both included). */
export function lineRange(source: SourceText, first: number, last: number = first): SourceRange {
  return {
    start: { line: first, column: 1 },
    end: { line: last, column: (source.lines[last - 1] ?? '').length + 1 },
  }
}
