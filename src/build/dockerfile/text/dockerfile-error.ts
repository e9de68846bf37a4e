/** The error for faulty Dockerfiles: Docker's message, and the place with its lines. */
import { BerthError } from '../../../base/index.ts'
import type { Position, SourceRange, SourceText } from './source-text.ts'

/** The place of an error. */
export interface DockerfileErrorPlace {
  readonly source: SourceText
  /** The lines of the faulty instruction. */
  readonly range: SourceRange
  /** The faulty word. Default: the start of the range. */
  readonly at?: Position
}

/** An error in a Dockerfile and its place. `message` is Docker's one-line message. */
export class DockerfileError extends BerthError {
  /** The message without "dockerfile parse error on line …". */
  readonly problem: string
  readonly file: string
  readonly range: SourceRange
  readonly at: Position
  /** The lines around the place, with faulty lines marked and the faulty word underlined. */
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

/** Formats the lines of `range` and two more on each side, with `>>>` before the lines of the range and `^` below
 *  `at`. */
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

/** A line in a form that is safe to show on a terminal: without control characters except tabs, and shortened. */
function shownText(line: string): string {
  const text = line.length > longestShown ? `${line.slice(0, longestShown)}…` : line
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\uFFFD')
}

/** White space as wide as the text before `column`. Tabs stay tabs, so that the marker is below its word. */
function blankOf(text: string, column: number): string {
  return text.slice(0, column - 1).replace(/[^\t]/g, ' ')
}
