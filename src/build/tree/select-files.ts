/** Which files a source of COPY or ADD means, and where below the destination each goes. Pure but for the reader.
 *  https://docs.docker.com/reference/dockerfile/#copy */
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
export function selectFiles(
  tree: TreeReader,
  source: string,
  { parents = false, exclude = [] }: SelectOptions = {},
): readonly SelectedGroup[] | undefined {
  const wanted = copyPattern(source, { parents })
  const excluded = exclude.length === 0 ? undefined : new IgnoreMatcher(exclude)
  const directory = wanted.directory === '.' ? '' : wanted.directory
  if (wanted.pattern === undefined) {
    const found = resolveInTree(tree, directory)
    if (found === undefined) return undefined
    if (parents) return [withParents(tree, directory, found, wanted.pivot, excluded)]
    return [groupOf(tree, found, baseName(directory), excluded)]
  }
  const base = resolveInTree(tree, directory)
  if (base === undefined || tree.lstat(base)?.type === 'file') return []
  const matches = [...matchesIn(tree, base, wanted.pattern)]
  const groups = matches.flatMap((match) => {
    const written = joinPath(directory, match)
    // A match is followed when it is a symlink, as a path that is written out.
    const found = resolveInTree(tree, joinPath(base, match))
    if (found === undefined) return []
    return parents
      ? [withParents(tree, written, found, wanted.pivot, excluded)]
      : [groupOf(tree, found, baseName(match), excluded)]
  })
  return groups.filter((group) => group.entries.length > 0)
}

/** Paths below `base`, a directory, that a pattern matches. */
export function* matchesIn(tree: TreeReader, base: string, pattern: PathPattern): Iterable<string> {
  yield* below('', pattern.start())
  function* below(path: string, state: PatternState): Iterable<string> {
    for (const name of tree.list(joinPath(base, path))) {
      const next = pattern.enter(state, name)
      const child = joinPath(path, name)
      if (pattern.isMatch(next)) yield child
      else if (pattern.canMatchBelow(next) && tree.lstat(joinPath(base, child))?.type === 'directory') {
        yield* below(child, next)
      }
    }
  }
}

function groupOf(tree: TreeReader, found: string, name: string, excluded: IgnoreMatcher | undefined): SelectedGroup {
  const entry = entryAt(tree, found)
  if (entry.type !== 'directory') {
    const isOut = excluded?.ignores(name) === true
    return { name, isDirectory: false, entries: isOut ? [] : [{ path: '', from: found, entry }] }
  }
  // The root of a tree tells nothing of its own.
  const own = found === '' ? [] : [{ path: '', from: found, entry }]
  return { name, isDirectory: true, entries: [...own, ...subtree(tree, found, '', excluded?.root())] }
}

/** `--parents`: the directories above a match come along. */
function withParents(
  tree: TreeReader,
  written: string,
  found: string,
  pivot: number,
  excluded: IgnoreMatcher | undefined,
): SelectedGroup {
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
  if (entry.type === 'directory') entries.push(...subtree(tree, found, path, own))
  return {
    name: '',
    isDirectory: true,
    entries: own?.ignored === true && entries.every((one) => one.entry.type === 'directory') ? [] : entries,
  }
}

function* subtree(
  tree: TreeReader,
  from: string,
  path: string,
  place: IgnoredDirectory | undefined,
): Iterable<SelectedEntry> {
  for (const name of tree.list(from)) {
    const child = joinPath(from, name)
    const entry = tree.lstat(child)
    if (entry === undefined) continue
    const here = place?.enter(name)
    const isOut = here?.ignored === true
    if (isOut && (entry.type !== 'directory' || here?.worthEntering !== true)) continue
    const selected = { path: joinPath(path, name), from: child, entry }
    if (entry.type !== 'directory') {
      yield selected
      continue
    }
    const inside = [...subtree(tree, child, selected.path, here)]
    // An excluded directory is made only for what an exception brings back.
    if (!isOut || inside.length > 0) yield selected
    yield* inside
  }
}

function entryAt(tree: TreeReader, path: string): TreeEntry {
  return tree.lstat(path) ?? plainDirectory
}
