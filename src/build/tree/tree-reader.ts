/** A tree of files that is copied from: a context, a stage's or an image's root. Paths in it are relative, with
 *  slashes, '' for the root; symlinks lead to places inside the tree only. */

/** What a name in a tree is. */
export interface TreeEntry {
  /** `other`: a device, fifo or socket. */
  readonly type: 'file' | 'directory' | 'symlink' | 'other'
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  /** Of a symlink. */
  readonly linkPath: string
  readonly xattrs?: ReadonlyMap<string, Buffer>
}

/** What a directory is that nothing tells about: root's, at no time. */
export const plainDirectory: TreeEntry = {
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  mtimeNs: 0n,
  linkPath: '',
}

/** Looks into a tree. */
export interface TreeReader {
  /** The entry itself, a symlink not followed. The directories on the way must be real ones. */
  lstat(path: string): TreeEntry | undefined
  /** Names in a directory, in bytewise order. */
  list(path: string): readonly string[]
}

const maxLinks = 255

/** The path without symlinks that `path` leads to, the last part followed too unless `follow` is false; undefined when there is nothing. */
export function resolveInTree(tree: TreeReader, path: string, { follow = true } = {}): string | undefined {
  let rest = partsOf(path)
  let done: string[] = []
  for (let links = 0; ; ) {
    const next = rest[0]
    if (next === undefined) return done.join('/')
    rest = rest.slice(1)
    if (next === '..') {
      done.pop()
      continue
    }
    const here = [...done, next].join('/')
    const entry = tree.lstat(here)
    if (entry === undefined) return undefined
    if (entry.type === 'symlink' && (follow || rest.length > 0)) {
      links += 1
      if (links > maxLinks) return undefined
      rest = [...partsOf(entry.linkPath), ...rest]
      if (entry.linkPath.startsWith('/')) done = []
      continue
    }
    if (rest.length > 0 && entry.type !== 'directory') return undefined
    done.push(next)
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}

/** `a/b` of `a` and `b`; either may be ''. */
export function joinPath(directory: string, name: string): string {
  if (directory === '') return name
  return name === '' ? directory : `${directory}/${name}`
}

/** The last part. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
