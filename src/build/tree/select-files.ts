/** Finds the files that a source of COPY or ADD selects, and the path of each below the destination. Pure except for
 *  the reader. Because a tree may have any number of files, the walk regularly yields to other work: its generators
 *  also give `undefined` where they have found nothing, so that the walk can yield there too.
 *  https://docs.docker.com/reference/dockerfile/#copy */
import { TimeSlice } from '../../base/index.ts'
import {
  copyPattern,
  type IgnoredDirectory,
  IgnoreMatcher,
  type PathPattern,
  type PatternState,
} from '../dockerfile/index.ts'
import { baseName, joinPath, plainDirectory, resolveInTree, type TreeEntry, type TreeReader } from './tree-reader.ts'

/** A selected file. */
export interface SelectedEntry {
  /** Path below the group's destination. '' for the group's root. */
  readonly path: string
  /** Path in the source tree. */
  readonly from: string
  readonly entry: TreeEntry
}

/** The selection of one source, or of one match of its wildcards: a single file, or the contents of a directory. */
export interface SelectedGroup {
  /** The file's name, used when the destination is a directory. */
  readonly name: string
  readonly isDirectory: boolean
  /** Directories come before their contents. */
  readonly entries: readonly SelectedEntry[]
}

/** Flags of the COPY. */
export interface SelectOptions {
  readonly parents?: boolean
  /** Patterns of `--exclude`. */
  readonly exclude?: readonly string[]
}

/** Selects the files. Undefined when a source without wildcards does not exist. */
export async function selectFiles(
  tree: TreeReader,
  source: string,
  { parents = false, exclude = [] }: SelectOptions = {},
): Promise<readonly SelectedGroup[] | undefined> {
  const slice = new TimeSlice()
  const wanted = copyPattern(source, { parents })
  const excluded = exclude.length === 0 ? undefined : new IgnoreMatcher(exclude)
  const directory = wanted.directory === '.' ? '' : wanted.directory
  if (wanted.pattern === undefined) {
    const found = resolveInTree(tree, directory)
    if (found === undefined) return undefined
    if (parents) return [await withParents({ tree, found, excluded, slice }, directory, wanted.pivot)]
    return [await groupOf({ tree, found, excluded, slice }, baseName(directory))]
  }
  const base = resolveInTree(tree, directory)
  if (base === undefined || tree.lstat(base)?.type === 'file') return []
  const groups: SelectedGroup[] = []
  for (const match of await collect(walkMatches(tree, base, wanted.pattern), slice)) {
    // A match that is a symlink is followed, as is a literal path.
    const found = resolveInTree(tree, joinPath(base, match))
    if (found === undefined) continue
    const selection = { tree, found, excluded, slice }
    const group = parents
      ? await withParents(selection, joinPath(directory, match), wanted.pivot)
      : await groupOf(selection, baseName(match))
    if (group.entries.length > 0) groups.push(group)
  }
  return groups
}

/** Collects everything a generator gives, with pauses. */
async function collect<T>(found: Iterable<T | undefined>, slice: TimeSlice): Promise<T[]> {
  const all: T[] = []
  for (const one of found) {
    if (one !== undefined) all.push(one)
    if (slice.isOver) await slice.renew()
  }
  return all
}

/** The paths below the directory `base` that match the pattern. */
export function matchesIn(tree: TreeReader, base: string, pattern: PathPattern): string[] {
  return [...walkMatches(tree, base, pattern)].filter((match) => match !== undefined)
}

function* walkMatches(tree: TreeReader, base: string, pattern: PathPattern): Iterable<string | undefined> {
  yield* below('', pattern.start())
  function* below(path: string, state: PatternState): Iterable<string | undefined> {
    for (const name of tree.list(joinPath(base, path))) {
      const next = pattern.enter(state, name)
      const child = joinPath(path, name)
      const isMatch = pattern.isMatch(next)
      yield isMatch ? child : undefined
      if (isMatch || !pattern.canMatchBelow(next)) continue
      if (tree.lstat(joinPath(base, child))?.type === 'directory') yield* below(child, next)
    }
  }
}

/** What one source or match leads to, with the filters for it. */
interface Selection {
  readonly tree: TreeReader
  readonly found: string
  readonly excluded: IgnoreMatcher | undefined
  readonly slice: TimeSlice
}

async function groupOf({ tree, found, excluded, slice }: Selection, name: string): Promise<SelectedGroup> {
  const entry = entryAt(tree, found)
  if (entry.type !== 'directory') {
    const isOut = excluded?.ignores(name) === true
    return { name, isDirectory: false, entries: isOut ? [] : [{ path: '', from: found, entry }] }
  }
  // The root of a tree has no metadata to copy.
  const own = found === '' ? [] : [{ path: '', from: found, entry }]
  const inside = await collect(subtree(tree, found, '', excluded?.root()), slice)
  return { name, isDirectory: true, entries: own.concat(inside) }
}

/** With `--parents`, the directories above a match are copied too. */
async function withParents(
  { tree, found, excluded, slice }: Selection,
  written: string,
  pivot: number,
): Promise<SelectedGroup> {
  const parts = written.split('/').filter((part) => part !== '')
  const kept = parts.slice(pivot)
  const entries: SelectedEntry[] = []
  let place = excluded?.root()
  for (const [index, name] of kept.slice(0, -1).entries()) {
    place = place?.enter(name)
    const source = resolveInTree(tree, parts.slice(0, pivot + index + 1).join('/'))
    if (source === undefined) continue
    entries.push({ path: kept.slice(0, index + 1).join('/'), from: source, entry: entryAt(tree, source) })
  }
  const path = kept.join('/')
  const entry = entryAt(tree, found)
  const own = kept.length === 0 ? place : place?.enter(kept.at(-1) ?? '')
  if (own?.ignored !== true) entries.push({ path, from: found, entry })
  const all =
    entry.type === 'directory' ? entries.concat(await collect(subtree(tree, found, path, own), slice)) : entries
  const isEmpty = own?.ignored === true && all.every((one) => one.entry.type === 'directory')
  return { name: '', isDirectory: true, entries: isEmpty ? [] : all }
}

function* subtree(
  tree: TreeReader,
  from: string,
  path: string,
  place: IgnoredDirectory | undefined,
): Iterable<SelectedEntry | undefined> {
  for (const name of tree.list(from)) {
    const child = joinPath(from, name)
    const entry = tree.lstat(child)
    if (entry === undefined) continue
    const here = place?.enter(name)
    const isOut = here?.ignored === true
    if (isOut && (entry.type !== 'directory' || here?.worthEntering !== true)) {
      yield undefined
      continue
    }
    const selected = { path: joinPath(path, name), from: child, entry }
    if (!isOut) yield selected
    if (entry.type !== 'directory') continue
    const inside = subtree(tree, child, selected.path, here)
    yield* isOut ? madeFor(selected, inside) : inside
  }
}

/** An excluded directory is created only when an exception brings back something in it. */
function* madeFor(
  directory: SelectedEntry,
  inside: Iterable<SelectedEntry | undefined>,
): Iterable<SelectedEntry | undefined> {
  let isMade = false
  for (const one of inside) {
    if (one !== undefined && !isMade) {
      yield directory
      isMade = true
    }
    yield one
  }
}

function entryAt(tree: TreeReader, path: string): TreeEntry {
  return tree.lstat(path) ?? plainDirectory
}
