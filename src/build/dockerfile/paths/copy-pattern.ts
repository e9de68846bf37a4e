/** Wildcards in the sources of COPY and ADD. https://docs.docker.com/reference/dockerfile/#copy */
import { cleanPath } from './container-path.ts'
import { PathPattern } from './path-pattern.ts'
import { hasWildcard } from './path-segment.ts'

/** A source of COPY or ADD, ready for a walk over a tree. */
export interface CopyPattern {
  /** The part of the source that has no wildcard, where a search begins; `.` for the root. */
  readonly directory: string
  /** Relative to `directory`; undefined when the source names one path, which is `directory`. */
  readonly pattern?: PathPattern
  /** What `pattern` was made of. */
  readonly patternText?: string
  /** `--parents`: how many leading parts of a found path are not kept, those before a `/./` in the source. */
  readonly pivot: number
}

/** What a source means: a path relative to the root of context, stage or image; `..` can't leave it.
 *  `**` counts only with `--parents`. Throws `invalidArgument` for a malformed pattern. */
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
