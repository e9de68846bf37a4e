/** The directory that a layer is unpacked into. No access can leave it: openat2 opens parents as if the layer's
 *  directory were `/` (RESOLVE_IN_ROOT), and every other call acts on a single name in such a directory, without
 *  following symlinks.
 *  Descriptors of parents are kept, because entries come grouped by directory. They are dropped when a name is removed,
 *  because a path may then mean another directory. A stale one could not lead outside either. */
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
/** Mode of directories that the archive has no entry for; root owns them. */
const impliedMode = 0o755
const maxKeptDirectories = 128
/** The same limit as the kernel's. */
const maxSymlinks = 40

/** The directory of one layer, which accesses can't leave. */
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

  /** Descriptor of the directory at a normalized path; makes it when it is missing. It stays open until `trim` or
   *  `close`. Throws when something on the path is not a directory. */
  directory(path: string): number {
    return this.findDirectory(path) ?? this.#keep(path, this.#make(path))
  }

  /** As `directory`, but returns undefined when it is missing. */
  findDirectory(path: string): number | undefined {
    if (path === '') return this.#rootFd
    const kept = this.#kept.get(path)
    if (kept !== undefined) return kept
    const fd = this.#openDirectory(path)
    return fd === undefined ? undefined : this.#keep(path, fd)
  }

  /** Directories that were made so far without an entry. */
  get impliedDirectories(): readonly string[] {
    return [...this.#implied]
  }

  /** Notes that the archive has an entry for that directory. */
  describe(path: string): void {
    this.#implied.delete(path)
  }

  /** Closes descriptors that may be stale or are too many. Called between entries, never within one. */
  trim(): void {
    if (this.#isStale || this.#kept.size > maxKeptDirectories) this.#forget()
  }

  /** Removes a name with everything below it. */
  remove(directory: number, name: string, status: FileStatus): void {
    if (isDirectory(status)) {
      // Only this code works in the tree, so the path can't change during the removal, which follows no symlinks.
      rmSync(fdPath(directory, name), { recursive: true, force: true })
    } else {
      unlinkAt(directory, toName(name))
    }
    this.#isStale = true
  }

  /** Hides the content that lower layers have in a directory. */
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
      // ENOTDIR may mean a whiteout that a directory replaces.
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw error
    }
  }

  /** Makes the missing parts of a path, from its start. */
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

  /** Follows a symlink to a directory that only lower layers have: makes the same directory here, as an entry for it
   *  would. Its target is text, resolved from the layer's root, so the walk stays inside. */
  #makeTarget(parent: number, name: string, path: string, depth: number): number {
    if (depth >= maxSymlinks) throw invalidArgument(`${path} is a chain of too many symlinks`)
    const target = decodeName(readlinkAt(parent, toName(name)))
    const from = target.startsWith('/') ? '' : placeEntry(path).parent
    // As in a real root directory, `..` at the top stays there.
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

/** A name in the form that `sys` takes. A name that is not UTF-8 is passed as bytes, which koffi accepts for any `char
 *  *`. */
export function toName(name: string): string {
  return encodeName(name) as string
}

/** A path for calls that take no descriptor. It can't be diverted, because the kernel resolves the descriptor
 *  itself. */
export function fdPath(directory: number, name: string): string {
  return `/proc/self/fd/${directory}/${name}`
}

/** True for the status of a directory. */
export function isDirectory(status: FileStatus): boolean {
  return (status.mode & constants.S_IFMT) === constants.S_IFDIR
}

/** True for overlayfs's whiteout of a removed name. */
export function isWhiteout(status: FileStatus): boolean {
  const isDevice = (status.mode & constants.S_IFMT) === constants.S_IFCHR
  return isDevice && status.deviceMajor === 0 && status.deviceMinor === 0
}
