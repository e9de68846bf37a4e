/** The error of everything that reads a Dockerfile: Docker's message, and the place with its lines. */
import { BerthError } from '../../../base/index.ts'
import type { Position, SourceRange, SourceText } from './source-text.ts'

/** Where something is wrong. */
export interface DockerfileErrorPlace {
  readonly source: SourceText
  /** The lines of the instruction at fault. */
  readonly range: SourceRange
  /** The word at fault; the start of the range when it is not known. */
  readonly at?: Position
}

/** What is wrong with a Dockerfile, and where. `message` is Docker's one line. */
export class DockerfileError extends BerthError {
  /** The message without "dockerfile parse error on line …". */
  readonly problem: string
  readonly file: string
  readonly range: SourceRange
  readonly at: Position
  /** The lines around it, the ones at fault marked, the word at fault underlined. */
  readonly excerpt: string

  constructor(problem: string, place: DockerfileErrorPlace, options: { parsing?: boolean; cause?: unknown } = {}) {
    const at = place.at ?? place.range.start
    const prefix = options.parsing === false ? '' : `dockerfile parse error on line ${place.range.start.line}: `
    super('invalidArgument', prefix + problem, {
      ...(options.cause === undefined ? {} : { cause: options.cause }),
      details: { file: place.source.file, line: at.line, column: at.column },
    })
    this.name = 'DockerfileError'
    this.problem = problem
    this.file = place.source.file
    this.range = place.range
    this.at = at
    this.excerpt = excerptOf(place.source, place.range, place.at)
  }
}

const contextLines = 2
const shownAtMost = 12
const longestShown = 200

/** The lines of `range` with two more on each side, `>>>` before those of the range and `^` below `at`. */
export function excerptOf(source: SourceText, range: SourceRange, at?: Position): string {
  const first = Math.max(1, range.start.line - contextLines)
  const wantedLast = Math.min(source.lines.length, range.end.line + contextLines)
  const last = Math.min(wantedLast, Math.max(first + shownAtMost - 1, (at?.line ?? 0) + 1))
  const width = Math.max(4, String(last).length)
  const ruler = '-'.repeat(20)
  const shown: string[] = [ruler]
  for (let line = first; line <= last; line += 1) {
    const inside = line >= range.start.line && line <= range.end.line
    const text = shownText(source.lines[line - 1] ?? '')
    shown.push(`${String(line).padStart(width)} | ${inside ? '>>>' : '   '} ${text}`.trimEnd())
    if (at?.line === line && at.column <= longestShown)
      shown.push(`${' '.repeat(width)} |     ${blankOf(text, at.column)}^`)
  }
  shown.push(ruler)
  return shown.join('\n')
}

/** A line as it can be shown on a terminal: no control characters but tabs, no endless lines. */
function shownText(line: string): string {
  const text = line.length > longestShown ? `${line.slice(0, longestShown)}…` : line
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\uFFFD')
}

/** Blanks as wide as what stands before `column`; tabs stay tabs, so that the marker is below its word. */
function blankOf(text: string, column: number): string {
  return text.slice(0, column - 1).replace(/[^\t]/g, ' ')
}
