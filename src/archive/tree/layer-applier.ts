/** Turns tar entries into files of an overlayfs lower directory. Each layer gets its own directory and sees no lower
 *  layers; its whiteouts become those of overlayfs.
 *  All calls are synchronous, which is fastest in worker threads. */
import { constants } from 'node:fs'
import { BerthError, errnoOf, invalidArgument, isBerthError, messageOf, nameBytes } from '../../base/index.ts'
import {
  chmodAt,
  chmodFd,
  chownAt,
  isForeignXattr,
  linkAt,
  mkdirAt,
  mknodAt,
  openAt,
  setXattr,
  statAt,
  symlinkAt,
  utimesAt,
} from '../../sys/index.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import type { TarHandler } from '../tar/tar-parser.ts'
import { type EntryPlace, placeEntry, placePath } from './entry-path.ts'
import { IncomingFile } from './incoming-file.ts'
import { fdPath, isDirectory, isWhiteout, LayerTree, toName } from './layer-tree.ts'
import { isInsideWhiteout, parseWhiteout } from './whiteout.ts'

const oCreateFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
/** The kernel leaves an owner unchanged for this id. */
const noId = 0xffff_ffff

/** Applies the entries of one layer to a directory. */
export class LayerApplier implements TarHandler, Disposable {
  readonly #tree: LayerTree
  readonly #directoryTimes = new Map<string, { readonly place: EntryPlace; readonly mtimeNs: bigint }>()
  readonly #umask = process.umask()
  readonly #ownUid = process.geteuid?.() ?? -1
  readonly #ownGid = process.getegid?.() ?? -1
  readonly #file = new IncomingFile((path, action) => this.#guard(path, action))
  #hasSetgidDirectory = false
  #entries = 0
  #sizeBytes = 0
  #isClosed = false

  constructor(root: string) {
    this.#tree = LayerTree.open(root)
  }

  /** Number of entries so far, including whiteouts. */
  get entries(): number {
    return this.#entries
  }

  /** Sum of the sizes of files and symlinks so far in bytes, as Docker counts the size of a layer. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Directories that entries needed, but that have no entry themselves. */
  get impliedDirectories(): readonly string[] {
    return this.#tree.impliedDirectories
  }

  entry(entry: TarEntry): void {
    this.#entries += 1
    this.#guard(entry.path, () => {
      this.#tree.trim()
      const place = placeEntry(entry.path)
      if (isInsideWhiteout(place.parent)) return
      const mark = parseWhiteout(place.name)
      if (mark === undefined) this.#make(entry, place)
      else if (mark.kind === 'removed') this.#hide({ parent: place.parent, name: mark.name })
      else if (mark.kind === 'opaque') this.#tree.makeOpaque(this.#tree.directory(place.parent), '.')
    })
  }

  data(piece: Buffer, position: number): void {
    this.#file.write(piece, position)
  }

  endEntry(): void {
    this.#file.end((fd, entry) => {
      this.#sizeBytes += entry.sizeBytes
      if (this.#needsOwner(entry)) chownAt(fd, '', entry.uid, entry.gid)
      if (this.#needsMode(entry)) chmodFd(fd, entry.mode)
      setXattrs(fd, entry)
    })
  }

  /** Sets the times of directories, which later entries in them changed. Called after the last entry. */
  finish(): void {
    for (const { place, mtimeNs } of this.#directoryTimes.values()) {
      this.#tree.trim()
      const parent = this.#tree.findDirectory(place.parent)
      if (parent === undefined) continue
      try {
        utimesAt(parent, toName(place.name || '.'), mtimeNs, mtimeNs)
      } catch (error) {
        // A later entry removed it.
        if (errnoOf(error) !== 'ENOENT') throw error
      }
    }
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#file[Symbol.dispose]()
    this.#tree.close()
  }

  #make(entry: TarEntry, place: EntryPlace): void {
    checkOwner(entry)
    if (place.name === '') {
      if (entry.type !== 'directory') throw invalidArgument("the layer's root is not a directory")
      this.#finishDirectory(entry, this.#tree.rootFd, place)
      return
    }
    const parent = this.#tree.directory(place.parent)
    const name = toName(place.name)
    switch (entry.type) {
      case 'file':
        this.#create(place, parent, () => {
          this.#file.begin(openAt(parent, name, oCreateFile, entry.mode & 0o777), entry)
        })
        return
      case 'directory':
        this.#makeDirectory(entry, place, parent)
        return
      case 'link':
        this.#link(entry, place, parent)
        return
      case 'symlink':
        this.#create(place, parent, () => symlinkAt(toName(entry.linkPath), parent, name))
        this.#sizeBytes += nameBytes(entry.linkPath).length
        break
      case 'fifo':
        this.#create(place, parent, () => mknodAt(parent, name, constants.S_IFIFO | (entry.mode & 0o777)))
        break
      case 'char':
      case 'block': {
        const kind = entry.type === 'char' ? constants.S_IFCHR : constants.S_IFBLK
        const mode = kind | (entry.mode & 0o777)
        this.#create(place, parent, () => mknodAt(parent, name, mode, entry.deviceMajor, entry.deviceMinor))
        break
      }
      default:
        entry.type satisfies never
    }
    this.#finishNode(entry, parent, place.name)
    utimesAt(parent, name, entry.mtimeNs, entry.mtimeNs)
  }

  #makeDirectory(entry: TarEntry, place: EntryPlace, parent: number): void {
    const name = toName(place.name)
    const status = this.#tryMakeDirectory(parent, name, entry) ? undefined : statAt(parent, name)
    if (status !== undefined && !isDirectory(status)) {
      this.#clear(place, parent)
      mkdirAt(parent, name, entry.mode & 0o777)
      // A new directory hides what the layers below had under this name.
      if (isWhiteout(status)) this.#tree.makeOpaque(parent, place.name)
    }
    this.#finishDirectory(entry, parent, place)
  }

  #tryMakeDirectory(parent: number, name: string, entry: TarEntry): boolean {
    try {
      mkdirAt(parent, name, entry.mode & 0o777)
      return true
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      return false
    }
  }

  #finishDirectory(entry: TarEntry, parent: number, place: EntryPlace): void {
    const name = place.name || '.'
    // The directory may have existed already, with any owner and mode.
    chownAt(parent, toName(name), entry.uid, entry.gid)
    chmodAt(parent, toName(name), entry.mode)
    setXattrs(fdPath(parent, name), entry)
    if ((entry.mode & 0o2000) !== 0) this.#hasSetgidDirectory = true
    this.#tree.describe(placePath(place))
    this.#directoryTimes.set(placePath(place), { place, mtimeNs: entry.mtimeNs })
  }

  #finishNode(entry: TarEntry, parent: number, name: string): void {
    if (this.#needsOwner(entry)) chownAt(parent, toName(name), entry.uid, entry.gid)
    if (entry.type !== 'symlink' && this.#needsMode(entry)) chmodAt(parent, toName(name), entry.mode)
    setXattrs(fdPath(parent, name), entry)
  }

  #link(entry: TarEntry, place: EntryPlace, parent: number): void {
    const target = placeEntry(entry.linkPath)
    if (placePath(target) === placePath(place)) return
    const from = this.#tree.findDirectory(target.parent)
    const status = from === undefined || target.name === '' ? undefined : statAt(from, toName(target.name))
    if (from === undefined || status === undefined) {
      throw invalidArgument(`hard link to ${entry.linkPath}, which is not in this layer`)
    }
    if (isDirectory(status)) throw invalidArgument(`hard link to ${entry.linkPath}, which is a directory`)
    this.#create(place, parent, () => linkAt(from, toName(target.name), parent, toName(place.name)))
  }

  /** Hides the file of that name in lower layers. */
  #hide(place: EntryPlace): void {
    const parent = this.#tree.directory(place.parent)
    const status = statAt(parent, toName(place.name))
    if (status === undefined) mknodAt(parent, toName(place.name), constants.S_IFCHR, 0, 0)
    // A whiteout concerns only lower layers: what this layer added stays.
    else if (isDirectory(status)) this.#tree.makeOpaque(parent, place.name)
  }

  /** Makes something that must not exist yet; removes what is in its place. */
  #create(place: EntryPlace, parent: number, make: () => void): void {
    try {
      make()
      return
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
    this.#clear(place, parent)
    make()
  }

  #clear(place: EntryPlace, parent: number): void {
    const status = statAt(parent, toName(place.name))
    if (status === undefined) return
    this.#tree.remove(parent, place.name, status)
    this.#directoryTimes.delete(placePath(place))
  }

  #needsOwner(entry: TarEntry): boolean {
    return this.#hasSetgidDirectory || entry.uid !== this.#ownUid || entry.gid !== this.#ownGid
  }

  /** True when the mode must be set again: chown clears setuid and setgid, and the umask cut the mode. */
  #needsMode(entry: TarEntry): boolean {
    return entry.mode > 0o777 || (entry.mode & this.#umask) !== 0
  }

  /** Runs one step; adds the path of the entry to the error of a failing system call. */
  #guard(path: string, action: () => void): void {
    try {
      action()
    } catch (cause) {
      const kind = isBerthError(cause)
        ? cause.kind
        : archiveFaults.has(errnoOf(cause) ?? '')
          ? 'invalidArgument'
          : 'internal'
      throw new BerthError(kind, `cannot unpack ${path.slice(0, 300)}: ${messageOf(cause)}`, { cause })
    }
  }
}

/** Errors that are the fault of the archive, not of this host. */
const archiveFaults: ReadonlySet<string> = new Set([
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EINVAL',
  'EMLINK',
  'ENOENT',
])

function checkOwner({ uid, gid, path }: TarEntry): void {
  if (uid < 0 || gid < 0 || uid >= noId || gid >= noId) throw invalidArgument(`${path} has a bad owner ${uid}:${gid}`)
}

/** Sets attributes. Like tar, ignores attributes that the file system or user namespace does not support. */
function setXattrs(file: string | number, entry: TarEntry): void {
  for (const [name, value] of entry.xattrs ?? []) {
    if (isForeignXattr(name)) continue
    try {
      setXattr(file, name, value)
    } catch (error) {
      const code = errnoOf(error)
      if (code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'EPERM') throw error
    }
  }
}
