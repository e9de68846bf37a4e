/** A tree on disk that does not change: the mount of a committed snapshot, or a git checkout. */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { getXattr, listXattrs } from '../../sys/index.ts'
import { bytewise } from './context-tree.ts'
import type { TreeEntry, TreeReader } from './tree-reader.ts'

/** Reads below `root`. Symlinks are returned as such and never followed. */
export class DirectoryTree implements TreeReader {
  readonly #root: string
  readonly #owner: { readonly uid: number; readonly gid: number } | undefined

  /** `owner` is the owner that all entries appear to have; without it, the owners on disk. */
  constructor(root: string, { owner }: { readonly owner?: { readonly uid: number; readonly gid: number } } = {}) {
    this.#root = root
    this.#owner = owner
  }

  lstat(path: string): TreeEntry | undefined {
    const place = this.#place(path)
    const stats = lstatSync(place, { bigint: true, throwIfNoEntry: false })
    if (stats === undefined) return undefined
    const type = typeOf(stats)
    const xattrs = type === 'file' ? xattrsOf(place) : undefined
    return {
      type,
      mode: Number(stats.mode & 0o7777n),
      uid: this.#owner?.uid ?? Number(stats.uid),
      gid: this.#owner?.gid ?? Number(stats.gid),
      sizeBytes: type === 'file' ? Number(stats.size) : 0,
      mtimeNs: stats.mtimeNs,
      linkPath: type === 'symlink' ? readlinkSync(place) : '',
      ...(xattrs === undefined ? {} : { xattrs }),
    }
  }

  list(path: string): readonly string[] {
    return readdirSync(this.#place(path)).sort(bytewise)
  }

  #place(path: string): string {
    return path === '' ? `${this.#root}/.` : `${this.#root}/${path}`
  }
}

function typeOf(stats: BigIntStats): TreeEntry['type'] {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  return stats.isSymbolicLink() ? 'symlink' : 'other'
}

function xattrsOf(place: string): ReadonlyMap<string, Buffer> | undefined {
  const names = listXattrs(place).filter((name) => !name.startsWith('trusted.') && name !== 'security.selinux')
  if (names.length === 0) return undefined
  const pairs = names.map((name) => [name, getXattr(place, name)] as const)
  return new Map(pairs.filter((pair): pair is [string, Buffer] => pair[1] !== undefined))
}
