/** Where an entry belongs inside its layer, as text. Text alone decides nothing about safety (symlinks!);
 *  `layer-tree.ts` walks it inside the root. It only refuses what can't be meant: leaving the root. */
import { invalidArgument } from '../../base/index.ts'

/** A normalised place: `parent` without leading or trailing slash, '' for the root; `name` '' for the root itself. */
export interface EntryPlace {
  readonly parent: string
  readonly name: string
}

/** No path that is longer can be given to the kernel. */
const maxPathLength = 4095

/** Normalises an entry's path: leading slashes are taken as the layer's root, `.` and `..` are resolved.
 *  Throws when the path leaves the root, is too long or has a NUL. */
export function placeEntry(path: string): EntryPlace {
  if (path.length > maxPathLength) throw invalidArgument(`path of an archive entry is too long: ${path.slice(0, 60)}…`)
  if (path.includes('\0')) throw invalidArgument('path of an archive entry has a NUL in it')
  const clean = isClean(path) ? path.replace(/\/$/, '') : normalise(path)
  const slash = clean.lastIndexOf('/')
  return slash < 0 ? { parent: '', name: clean } : { parent: clean.slice(0, slash), name: clean.slice(slash + 1) }
}

/** The path of a place. */
export function placePath({ parent, name }: EntryPlace): string {
  return parent === '' ? name : `${parent}/${name}`
}

/** Most entries need no work. */
function isClean(path: string): boolean {
  return !unclean.test(path)
}

/** A slash at the start or a double one, or a component `.` or `..`. */
const unclean = /^\/|\/\/|(?:^|\/)\.\.?(?:\/|$)/

function normalise(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) throw invalidArgument(`archive entry leaves its root: ${path}`)
  }
  return parts.join('/')
}
