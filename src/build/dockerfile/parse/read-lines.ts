/** Turns physical lines into logical ones: drops comments, joins continued lines, collects here-documents.
 *  https://docs.docker.com/reference/dockerfile/#format */
import type { EscapeCharacter } from '../text/directives.ts'
import { DockerfileError } from '../text/dockerfile-error.ts'
import { type HeredocText, LogicalLine } from '../text/logical-line.ts'
import { lineRange, type Position, type SourceText } from '../text/source-text.ts'
import { jsonStrings, leadingFlags } from '../text/words.ts'
import { type HeredocStart, heredocsOf } from './heredoc.ts'

/** Docker's scanner has the same limit for lines. */
const maxLineLength = 65535
const maxFileLength = 16 * 1024 * 1024

/** Gives all instructions of a file as logical lines. Throws `DockerfileError` for lines that are too long,
 *  here-documents without an end, and a file without instructions. */
export function readLogicalLines(source: SourceText, escaper: EscapeCharacter): readonly LogicalLine[] {
  checkSizes(source)
  const reader = new LineReader(source, escaper)
  const lines: LogicalLine[] = []
  for (let line = reader.read(); line !== undefined; line = reader.read()) lines.push(line)
  if (lines.length === 0) {
    throw new DockerfileError('file with no instructions', {
      source,
      range: lineRange(source, Math.max(1, source.lines.length)),
    })
  }
  return lines
}

function checkSizes(source: SourceText): void {
  let total = 0
  for (const [index, line] of source.lines.entries()) {
    total += line.length
    const range = lineRange(source, index + 1)
    if (line.length > maxLineLength) {
      throw new DockerfileError(`dockerfile line greater than maximum allowed size of ${maxLineLength}`, {
        source,
        range,
      })
    }
    if (total > maxFileLength) {
      throw new DockerfileError(`file greater than maximum allowed size of ${maxFileLength}`, { source, range })
    }
  }
}

class LineReader {
  readonly #source: SourceText
  readonly #escaper: EscapeCharacter
  /** Index of the next line. */
  #next = 0
  #comments: string[] = []

  constructor(source: SourceText, escaper: EscapeCharacter) {
    this.#source = source
    this.#escaper = escaper
  }

  read(): LogicalLine | undefined {
    for (;;) {
      const raw = this.#source.lines[this.#next]
      if (raw === undefined) return undefined
      const text = raw.trimStart()
      if (text.startsWith('#')) this.#comments.push(text.slice(1).trim())
      else if (text === '') this.#comments = []
      else {
        const line = this.#instruction()
        if (line !== undefined) return line
      }
      this.#next += 1
    }
  }

  /** Reads the instruction that begins at the next line. Undefined when it consists of continuation characters only. */
  #instruction(): LogicalLine | undefined {
    const first = this.#next
    const joined = this.#join()
    const comments = this.#comments
    this.#comments = []
    if (joined.text.trim() === '') {
      this.#next -= 1
      return undefined
    }
    const heredocs = heredocStartsOf(joined.text).flatMap((start) => this.#heredoc(start, first) ?? [])
    return new LogicalLine({
      source: this.#source,
      text: joined.text.trimEnd(),
      pieces: joined.pieces,
      range: lineRange(this.#source, first + 1, this.#next),
      heredocs,
      comments,
      ...(joined.emptyContinuation === undefined ? {} : { emptyContinuation: joined.emptyContinuation }),
    })
  }

  #join(): { text: string; pieces: { offset: number; at: Position }[]; emptyContinuation?: number } {
    const pieces: { offset: number; at: Position }[] = []
    let text = ''
    let emptyContinuation: number | undefined
    let continued = true
    for (let begun = false; continued && this.#next < this.#source.lines.length; this.#next += 1) {
      const raw = this.#source.lines[this.#next] ?? ''
      const bare = raw.trimStart()
      if (begun && bare.startsWith('#')) continue
      if (begun && bare === '') {
        emptyContinuation ??= this.#next + 1
        continue
      }
      const kept = begun ? raw : bare
      const [piece, more] = withoutContinuation(kept, this.#escaper)
      pieces.push({ offset: text.length, at: { line: this.#next + 1, column: raw.length - kept.length + 1 } })
      text += piece
      continued = more
      begun = true
    }
    return { text, pieces, ...(emptyContinuation === undefined ? {} : { emptyContinuation }) }
  }

  #heredoc({ spaced, ...start }: HeredocStart, first: number): HeredocText | undefined {
    const from = this.#next
    for (let at = from; at < this.#source.lines.length; at += 1) {
      const line = this.#source.lines[at] ?? ''
      if ((start.stripTabs ? line.replace(/^\t+/, '') : line) !== start.name) continue
      this.#next = at + 1
      return { ...start, content: this.#source.rawLines.slice(from, at).join('') }
    }
    if (spaced) return undefined
    throw new DockerfileError('unterminated heredoc', {
      source: this.#source,
      range: lineRange(this.#source, first + 1, this.#source.lines.length),
    })
  }
}

/** Gives the line without the continuation character at its end, and whether it had one. Two of them in a row are an
 *  escaped one, which does not continue the line. */
function withoutContinuation(line: string, escaper: EscapeCharacter): [text: string, more: boolean] {
  const text = line.replace(/[ \t]+$/, '')
  if (!text.endsWith(escaper) || text.at(-2) === escaper) return [line, false]
  return [text.slice(0, -1), true]
}

const withHeredocs = new Set(['RUN', 'COPY', 'ADD'])

/** Only RUN, COPY and ADD can have here-documents, also after ONBUILD, and only if their arguments are not a JSON
 *  list. */
function heredocStartsOf(text: string): readonly HeredocStart[] {
  let [, keyword = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? []
  if (keyword.toUpperCase() === 'ONBUILD') [, keyword = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? []
  if (!withHeredocs.has(keyword.toUpperCase())) return []
  const args = rest.slice(leadingFlags(rest).restAt)
  return jsonStrings(args.trim()) === undefined ? heredocsOf(args) : []
}
