/** A tree of files to copy from: a context, or the root of a stage or image. Paths in it are relative with slashes, and
 *  '' is the root. Symlinks are resolved inside the tree. */

/** The metadata of one entry. */
export interface TreeEntry {
  /** `other` means a device, fifo or socket. */
  readonly type: 'file' | 'directory' | 'symlink' | 'other'
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  /** Target of a symlink; '' for other types. */
  readonly linkPath: string
  readonly xattrs?: ReadonlyMap<string, Buffer>
}

/** The metadata of a directory about which nothing is known: owned by root, time 0. */
export const plainDirectory: TreeEntry = {
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  mtimeNs: 0n,
  linkPath: '',
}

/** Reads a tree. */
export interface TreeReader {
  /** The entry at this path. A final symlink is not followed, and the directories above must be real ones. */
  lstat(path: string): TreeEntry | undefined
  /** The names in a directory, in bytewise order. */
  list(path: string): readonly string[]
}

const maxLinks = 255

/** Resolves symlinks in `path` and gives the resulting path. With `follow: false` a final symlink is not resolved.
 *  Undefined when nothing is there. */
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

/** Joins `a` and `b` to `a/b`. Either may be ''. */
export function joinPath(directory: string, name: string): string {
  if (directory === '') return name
  return name === '' ? directory : `${directory}/${name}`
}

/** The last part of the path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
