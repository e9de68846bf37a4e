/** Wildcards in the sources of COPY and ADD. https://docs.docker.com/reference/dockerfile/#copy */
import { cleanPath } from './container-path.ts'
import { PathPattern } from './path-pattern.ts'
import { hasWildcard } from './path-segment.ts'

/** A source of COPY or ADD, prepared for a walk over a tree. */
export interface CopyPattern {
  /** The leading part of the source without wildcards, where a search starts. `.` is the root. */
  readonly directory: string
  /** Relative to `directory`. Undefined when the source names a single path, which is `directory`. */
  readonly pattern?: PathPattern
  /** The text of `pattern`. */
  readonly patternText?: string
  /** For `--parents`: how many leading parts of a found path are dropped. These are the parts before a `/./` in the
   *  source. */
  readonly pivot: number
}

/** Parses a source. It is relative to the root of the context, stage or image; `..` can't leave the root. `**` is only
 *  a wildcard with `--parents`. Throws `invalidArgument` for a malformed pattern. */
export function copyPattern(source: string, { parents = false }: { readonly parents?: boolean } = {}): CopyPattern {
  const pivotAt = parents ? source.indexOf('/./') : -1
  const partsOf = (path: string) =>
    cleanPath(`/${path}`)
      .split('/')
      .filter((part) => part !== '')
  const pivot = pivotAt === -1 ? 0 : partsOf(source.slice(0, pivotAt)).length
  const parts = partsOf(source)
  const wild = parts.findIndex((part) => hasWildcard(part))
  if (wild === -1) {
    const path = parts.map((part) => part.replace(/\\([\s\S])/g, '$1')).join('/')
    return { directory: path === '' ? '.' : path, pivot }
  }
  const directory = parts
    .slice(0, wild)
    .join('/')
    .replace(/\\([\s\S])/g, '$1')
  const patternText = parts.slice(wild).join('/')
  const pattern = new PathPattern(patternText, { doubleStar: parents })
  return { directory: directory === '' ? '.' : directory, pattern, patternText, pivot }
}
