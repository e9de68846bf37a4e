/** The place of an entry inside its layer, from its path as text. Because of symlinks, text alone can't make it safe:
 *  `layer-tree.ts` walks the path inside the root. Here, only paths that leave the root are refused. */
import { invalidArgument } from '../../base/index.ts'

/** A normalized place. `parent` has no leading or trailing slash and is '' for the root; `name` is '' for the root
 *  itself. */
export interface EntryPlace {
  readonly parent: string
  readonly name: string
}

/** Longer paths can't be given to the kernel. */
const maxPathLength = 4095

/** Normalizes an entry's path: drops leading slashes and resolves `.` and `..`. Throws `invalidArgument` when the path
 *  leaves the root, is too long or contains a NUL. */
export function placeEntry(path: string): EntryPlace {
  if (path.length > maxPathLength) throw invalidArgument(`path of an archive entry is too long: ${path.slice(0, 60)}…`)
  if (path.includes('\0')) throw invalidArgument('path of an archive entry has a NUL in it')
  const clean = isClean(path) ? path.replace(/\/$/, '') : normalize(path)
  const slash = clean.lastIndexOf('/')
  return slash < 0 ? { parent: '', name: clean } : { parent: clean.slice(0, slash), name: clean.slice(slash + 1) }
}

/** The path of a place. */
export function placePath({ parent, name }: EntryPlace): string {
  return parent === '' ? name : `${parent}/${name}`
}

/** True for a path that needs no normalization, as most do. */
function isClean(path: string): boolean {
  return !unclean.test(path)
}

/** Matches a slash at the start, a double slash, and a component `.` or `..`. */
const unclean = /^\/|\/\/|(?:^|\/)\.\.?(?:\/|$)/

function normalize(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) throw invalidArgument(`archive entry leaves its root: ${path}`)
  }
  return parts.join('/')
}
