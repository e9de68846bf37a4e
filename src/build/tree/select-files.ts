/** Which files a source of COPY or ADD means, and where below the destination each goes. Pure but for the reader.
 *  A tree may have any number of files, so the walk pauses for other work. What walks gives `undefined` now and then
 *  where it has found nothing, so that it can pause there too.
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

/** A file that is copied. */
export interface SelectedEntry {
  /** Below the group's place; '' for what the group itself is. */
  readonly path: string
  /** In the tree it comes from. */
  readonly from: string
  readonly entry: TreeEntry
}

/** What one source, or one match of its wildcards, gives: one file, or what is in one directory. */
export interface SelectedGroup {
  /** A file's name, for a destination that is a directory. */
  readonly name: string
  readonly isDirectory: boolean
  /** A directory before what is in it. */
  readonly entries: readonly SelectedEntry[]
}

export interface SelectOptions {
  readonly parents?: boolean
  /** `--exclude`. */
  readonly exclude?: readonly string[]
}

/** Undefined when a source without wildcards isn't there. */
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
    // A match is followed when it is a symlink, as a path that is written out.
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

/** All that a walk finds, with pauses. */
async function collect<T>(found: Iterable<T | undefined>, slice: TimeSlice): Promise<T[]> {
  const all: T[] = []
  for (const one of found) {
    if (one !== undefined) all.push(one)
    if (slice.isOver) await slice.renew()
  }
  return all
}

/** Paths below `base`, a directory, that a pattern matches. */
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

/** What a source or a match leads to, and what of it is wanted. */
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
  // The root of a tree tells nothing of its own.
  const own = found === '' ? [] : [{ path: '', from: found, entry }]
  const inside = await collect(subtree(tree, found, '', excluded?.root()), slice)
  return { name, isDirectory: true, entries: own.concat(inside) }
}

/** `--parents`: the directories above a match come along. */
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

/** An excluded directory is made only for what an exception brings back. */
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
