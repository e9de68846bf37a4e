/** Where a listing of a client's directory must look to find what a build reads. Pure. */
import { cleanPath, copyPattern, type PathPattern } from '../dockerfile/index.ts'
import { joinPath, matchesIn, resolveInTree, type TreeReader } from '../tree/index.ts'

/** A path with everything at and below it. With a pattern, only what matches the pattern below the path, and everything
 *  below the matches. */
export interface WantedPlace {
  readonly root: string
  readonly pattern?: {
    readonly text: string
    readonly doubleStar: boolean
    readonly matcher: PathPattern
  }
}

/** How a text is read: as a path, or as a source of COPY. `**` is a wildcard only with `parents`. */
export type SourceForm = 'path' | 'copy' | 'parents'

/** The place that a source names. */
export function wantedPlace(source: string, form: SourceForm): WantedPlace {
  if (form === 'path') return { root: plainPath(source) }
  const parents = form === 'parents'
  const { directory, pattern, patternText } = copyPattern(source, { parents })
  const root = directory === '.' ? '' : directory
  if (pattern === undefined || patternText === undefined) return { root }
  return { root, pattern: { text: patternText, doubleStar: parents, matcher: pattern } }
}

/** A name for the place. Equal places have equal names. */
export function nameOfPlace({ root, pattern }: WantedPlace): string {
  return pattern === undefined ? root : JSON.stringify([root, pattern.text, pattern.doubleStar])
}

/** The targets of symlinks that lie on the way to a place or match its pattern, as far as the tree knows them. */
export function linkedPlaces(tree: TreeReader, { root, pattern }: WantedPlace): WantedPlace[] {
  const ways = linkTargets(tree, root).map((target) => ({
    root: target,
    ...(pattern === undefined ? {} : { pattern }),
  }))
  if (pattern === undefined) return ways
  const base = resolveInTree(tree, root)
  if (base === undefined || tree.lstat(base)?.type !== 'directory') return ways
  const matches = matchesIn(tree, base, pattern.matcher)
  return [
    ...ways,
    ...matches.flatMap((match) => linkTargets(tree, joinPath(base, match)).map((target) => ({ root: target }))),
  ]
}

/** The targets of the symlinks on a path, each with the rest of the path appended. */
function linkTargets(tree: TreeReader, path: string): string[] {
  const targets: string[] = []
  let rest = path.split('/').filter((part) => part !== '')
  let done: string[] = []
  for (let count = 0; rest.length > 0 && count < 1000; count += 1) {
    const [part = '', ...others] = rest
    rest = others
    if (part === '.') continue
    if (part === '..') {
      done.pop()
      continue
    }
    const entry = tree.lstat([...done, part].join('/'))
    if (entry?.type !== 'symlink') {
      done.push(part)
      continue
    }
    if (entry.linkPath.startsWith('/')) done = []
    rest = [...entry.linkPath.split('/').filter((one) => one !== ''), ...rest]
    targets.push(plainPath([...done, ...rest].join('/')))
  }
  return targets
}

function plainPath(path: string): string {
  return cleanPath(`/${path}`).slice(1)
}
