/** The directory that a layer is unpacked into, reached so that nothing outside it can be touched: parents are
 *  opened by openat2 as if the layer's directory were `/` (RESOLVE_IN_ROOT), and everything else is a single name
 *  in such a directory, never followed when it is a symlink.
 *  Descriptors of parents are kept, for entries come grouped by directory; they are dropped when a name is
 *  removed, as then a path may mean another directory. A stale one could not lead outside either. */
import { constants, rmSync } from 'node:fs'
import { decodeName, encodeName, errnoOf, invalidArgument } from '../../base/index.ts'
import {
  closeFd,
  type FileStatus,
  mkdirAt,
  oPath,
  openAt,
  openFd,
  openInRoot,
  readlinkAt,
  setXattr,
  statAt,
  unlinkAt,
} from '../../sys/index.ts'
import { placeEntry, placePath } from './entry-path.ts'
import { opaqueValue, opaqueXattr } from './whiteout.ts'

const oDirectory = constants.O_DIRECTORY | oPath
/** Directories that an archive does not mention but that its entries need get this mode and root as owner. */
const impliedMode = 0o755
const maxKeptDirectories = 128
/** As the kernel's. */
const maxSymlinks = 40

export class LayerTree {
  readonly #rootFd: number
  readonly #kept = new Map<string, number>()
  readonly #implied = new Set<string>()
  #isStale = false

  private constructor(rootFd: number) {
    this.#rootFd = rootFd
  }

  /** Opens an existing directory. */
  static open(root: string): LayerTree {
    return new LayerTree(openFd(root, oDirectory))
  }

  get rootFd(): number {
    return this.#rootFd
  }

  /** Descriptor of the directory at a normalised path, which is made when it is missing. It stays open until
   *  `trim` or `close`. Throws when something on the way is no directory. */
  directory(path: string): number {
    return this.findDirectory(path) ?? this.#keep(path, this.#make(path))
  }

  /** As `directory`, but gives undefined when it is missing. */
  findDirectory(path: string): number | undefined {
    if (path === '') return this.#rootFd
    const kept = this.#kept.get(path)
    if (kept !== undefined) return kept
    const fd = this.#openDirectory(path)
    return fd === undefined ? undefined : this.#keep(path, fd)
  }

  /** Directories that were made without an entry of their own, so far. */
  get impliedDirectories(): readonly string[] {
    return [...this.#implied]
  }

  /** An entry for that directory came after all. */
  describe(path: string): void {
    this.#implied.delete(path)
  }

  /** Closes descriptors that may be stale or are too many. Called between entries, never within one. */
  trim(): void {
    if (this.#isStale || this.#kept.size > maxKeptDirectories) this.#forget()
  }

  /** Removes a name, with everything below it. */
  remove(directory: number, name: string, status: FileStatus): void {
    if (isDirectory(status)) {
      // Nobody else works in this tree, so the path can't change under the removal; it follows no symlinks.
      rmSync(fdPath(directory, name), { recursive: true, force: true })
    } else {
      unlinkAt(directory, toName(name))
    }
    this.#isStale = true
  }

  /** Hides what lower layers have in a directory. */
  makeOpaque(directory: number, name: string): void {
    setXattr(`/proc/self/fd/${directory}/${name}`, opaqueXattr, opaqueValue)
  }

  close(): void {
    this.#forget()
    closeFd(this.#rootFd)
  }

  #keep(path: string, fd: number): number {
    this.#kept.set(path, fd)
    return fd
  }

  #forget(): void {
    this.#isStale = false
    for (const fd of this.#kept.values()) closeFd(fd)
    this.#kept.clear()
  }

  #openDirectory(path: string): number | undefined {
    try {
      return openInRoot(this.#rootFd, toName(path), oDirectory)
    } catch (error) {
      const code = errnoOf(error)
      // ENOTDIR may be a whiteout that a directory replaces.
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw error
    }
  }

  /** Makes what is missing of a path, from its start. */
  #make(path: string, depth = 0): number {
    let parent = this.#rootFd
    const names = path.split('/')
    for (const [index, name] of names.entries()) {
      const here = names.slice(0, index + 1).join('/')
      try {
        const fd = this.#openDirectory(here) ?? this.#makeOne(parent, name, here, depth)
        if (parent !== this.#rootFd) closeFd(parent)
        parent = fd
      } catch (error) {
        if (parent !== this.#rootFd) closeFd(parent)
        throw error
      }
    }
    return parent
  }

  #makeOne(parent: number, name: string, path: string, depth: number): number {
    const status = statAt(parent, toName(name))
    if (status !== undefined && isSymlink(status)) return this.#makeTarget(parent, name, path, depth)
    if (status !== undefined && !isWhiteout(status)) throw invalidArgument(`${path} is not a directory`)
    if (status !== undefined) unlinkAt(parent, toName(name))
    mkdirAt(parent, toName(name), impliedMode)
    if (status !== undefined) this.makeOpaque(parent, name)
    else this.#implied.add(path)
    return openAt(parent, toName(name), oDirectory)
  }

  /** A symlink to a directory that only lower layers have: the same directory is made here, as an entry for it
   *  would. Its target is taken as text, from the layer's root; whatever it says, the walk stays inside. */
  #makeTarget(parent: number, name: string, path: string, depth: number): number {
    if (depth >= maxSymlinks) throw invalidArgument(`${path} is a chain of too many symlinks`)
    const target = decodeName(readlinkAt(parent, toName(name)))
    const from = target.startsWith('/') ? '' : placeEntry(path).parent
    // As in a real root, `..` at the top stays there.
    return this.#make(placePath(placeEntry(joinInRoot(from, target))), depth + 1)
  }
}

function joinInRoot(from: string, target: string): string {
  const parts: string[] = []
  for (const part of `${from}/${target}`.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

function isSymlink(status: FileStatus): boolean {
  return (status.mode & constants.S_IFMT) === constants.S_IFLNK
}

/** A name as `sys` takes it. Names that are no UTF-8 go as bytes, which koffi takes for any `char *`. */
export function toName(name: string): string {
  return encodeName(name) as string
}

/** A path for calls that know no descriptors; it can't be diverted, as the kernel resolves the descriptor itself. */
export function fdPath(directory: number, name: string): string {
  return `/proc/self/fd/${directory}/${name}`
}

export function isDirectory(status: FileStatus): boolean {
  return (status.mode & constants.S_IFMT) === constants.S_IFDIR
}

/** True for overlayfs's mark of a removed name. */
export function isWhiteout(status: FileStatus): boolean {
  const isDevice = (status.mode & constants.S_IFMT) === constants.S_IFCHR
  return isDevice && status.deviceMajor === 0 && status.deviceMinor === 0
}
