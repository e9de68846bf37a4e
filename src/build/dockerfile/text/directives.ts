/** Parser directives: `# key=value` comments at the top of a Dockerfile.
 *  https://docs.docker.com/reference/dockerfile/#parser-directives */
import { type CheckOptions, parseCheckOptions } from './check-options.ts'
import { DockerfileError } from './dockerfile-error.ts'
import { lineRange, type SourceText } from './source-text.ts'

/** The character that escapes others and continues lines. */
export type EscapeCharacter = '\\' | '`'

/** The parser directives of a file, including defaults. */
export interface Directives {
  /** The frontend image in `# syntax=`. It is not used. */
  readonly syntax?: string
  readonly escape: EscapeCharacter
  readonly check: CheckOptions
}

const known = new Set(['syntax', 'escape', 'check'])

/** Parses the directives. Throws `DockerfileError` for a repeated directive and an invalid value. */
export function parseDirectives(source: SourceText): Directives {
  const found = new Map<string, { readonly value: string; readonly line: number }>()
  for (const [index, line] of source.lines.entries()) {
    const [, name = '', value = ''] = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line) ?? []
    const key = name.toLowerCase()
    // The first line that is not a known directive ends them. All further ones are comments.
    if (!known.has(key)) break
    if (found.has(key)) throw errorAt(source, index + 1, `only one ${key} parser directive can be used`)
    found.set(key, { value, line: index + 1 })
  }
  const syntax = found.get('syntax')?.value
  return {
    escape: escapeOf(source, found.get('escape')),
    check: checkOf(source, found.get('check')),
    ...(syntax === undefined ? {} : { syntax }),
  }
}

type Found = { readonly value: string; readonly line: number } | undefined

function escapeOf(source: SourceText, found: Found): EscapeCharacter {
  if (found === undefined) return '\\'
  if (found.value === '\\' || found.value === '`') return found.value
  throw errorAt(source, found.line, `invalid escape token '${found.value}' does not match \` or \\`)
}

function checkOf(source: SourceText, found: Found): CheckOptions {
  const options = parseCheckOptions(found?.value ?? '')
  if (typeof options === 'string') throw errorAt(source, found?.line ?? 1, options)
  return options
}

function errorAt(source: SourceText, line: number, problem: string): DockerfileError {
  return new DockerfileError(problem, { source, range: lineRange(source, line) })
}
