/** Turns tar entries into files of a foreign tree, whose owner may change it meanwhile. Whatever a running container
 *  does to names and directories, a write can end only at another place of its own tree.
 *  Directories on the path are opened as if the tree's root were `/`. Every other step acts on a descriptor, or on one
 *  name that is never followed. */
import { chmodSync, constants, fstatSync } from 'node:fs'
import { BerthError, errnoOf, invalidArgument, isBerthError, messageOf, TimeSlice } from '../../base/index.ts'
import { hostIdOf, type IdMappings } from '../../oci/index.ts'
import {
  chmodFd,
  chownAt,
  closeFd,
  type FileStatus,
  isForeignXattr,
  linkAt,
  mkdirAt,
  mknodAt,
  oPath,
  openAt,
  openInRoot,
  setXattr,
  statAt,
  symlinkAt,
  unlinkAt,
  utimesAt,
} from '../../sys/index.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import type { TarHandler } from '../tar/tar-parser.ts'
import { type EntryPlace, placeEntry, placePath } from './entry-path.ts'
import { capabilityOnHost, capabilityXattr } from './file-capability.ts'
import { IncomingFile } from './incoming-file.ts'
import { isDirectory, toName } from './layer-tree.ts'
import { removeTree } from './remove-tree.ts'

/** The owner of written files: as the archive says, the writing process, or a given user. */
export type TreeOwner = 'archive' | 'writer' | { readonly uid: number; readonly gid: number }

/** Where to write, and what may be replaced. */
export interface TreeWriterOptions {
  /** The existing directory of the tree that the archive's root is; without leading slash, '' for the root. */
  readonly destination: string
  readonly owner: TreeOwner
  /** Owners in the archive are ids of this user namespace. */
  readonly mappings?: IdMappings | undefined
  /** Refuse to replace a directory by something else, and vice versa. */
  readonly noOverwriteDirNonDir?: boolean
  /** Apply the archive's entry for its root to the destination itself. */
  readonly withRoot?: boolean
  /** The destination, for messages. */
  readonly shownAs: string
  /** Defer steps that may take long. The caller awaits `settle` after each chunk and after `finish`. */
  readonly pauses?: boolean
}

/** Deferred work, and the later calls that wait for it. */
interface PutOff {
  /** The path for messages. */
  readonly path: string
  readonly steps: Iterator<void>
  readonly calls: (() => void)[]
}

const oDirectory = constants.O_RDONLY | constants.O_DIRECTORY
const oCreateFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
const impliedMode = 0o755
const maxKeptDirectories = 64
/** The kernel leaves an owner unchanged for this id. */
const noId = 0xffff_ffff

/** Writes entries. Synchronous, except for `settle`. Always dispose of it; what was written stays. */
export class TreeWriter implements TarHandler, Disposable {
  readonly #rootFd: number
  readonly #options: TreeWriterOptions
  readonly #kept = new Map<string, number>()
  readonly #directoryTimes = new Map<string, bigint>()
  readonly #file = new IncomingFile((path, action) => this.#guard(path, action))
  #putOff: PutOff | undefined

  /** The caller keeps `rootFd` and closes it. */
  constructor(rootFd: number, options: TreeWriterOptions) {
    this.#rootFd = rootFd
    this.#options = options
  }

  entry(entry: TarEntry): void {
    if (this.#putOff !== undefined) {
      this.#putOff.calls.push(() => this.entry(entry))
      return
    }
    this.#guard(entry.path, () => {
      if (this.#kept.size > maxKeptDirectories) this.#forget()
      const place = placeEntry(entry.path)
      if (place.name === '') {
        if (entry.type !== 'directory') throw invalidArgument("the archive's root is not a directory")
        if (this.#options.withRoot === true) this.#finishRoot(entry)
        return
      }
      this.#make(entry, place, this.#directory(place.parent))
    })
  }

  data(piece: Buffer, position: number): void {
    if (this.#putOff === undefined) {
      this.#file.write(piece, position)
      return
    }
    const copy = Buffer.from(piece)
    this.#putOff.calls.push(() => this.data(copy, position))
  }

  endEntry(): void {
    if (this.#putOff === undefined) this.#file.end((fd, entry) => this.#finishOpen(fd, entry))
    else this.#putOff.calls.push(() => this.endEntry())
  }

  /** Sets the times of directories, which later entries in them changed. Called after the last entry. */
  finish(): void {
    if (this.#putOff !== undefined) {
      this.#putOff.calls.push(() => this.finish())
      return
    }
    this.#forget()
    this.#begin('the times of directories', this.#setTimes())
  }

  /** Runs the deferred work, with pauses for other work. `run` surrounds each part of it. */
  async settle(run: (work: () => void) => void = (work) => work()): Promise<void> {
    const slice = new TimeSlice()
    while (this.#putOff !== undefined) {
      run(() => this.#resume(slice))
      if (this.#putOff !== undefined) await slice.renew()
    }
  }

  /** Runs the steps now, or defers them. Later calls wait for deferred steps, and run after `next`. */
  #begin(path: string, steps: Iterator<void>, next?: () => void): void {
    if (this.#options.pauses === true) {
      this.#putOff = { path, steps, calls: next === undefined ? [] : [next] }
      return
    }
    while (steps.next().done !== true);
    next?.()
  }

  #resume(slice: TimeSlice): void {
    while (this.#putOff !== undefined) {
      const { path, steps, calls } = this.#putOff
      let isDone = false
      this.#guard(path, () => {
        while (!isDone && !slice.isOver) isDone = steps.next().done === true
      })
      if (!isDone) return
      this.#putOff = undefined
      // One of these calls may defer again; the others then wait for it.
      for (const call of calls) call()
    }
  }

  *#setTimes(): Iterator<void> {
    for (const [path, mtimeNs] of this.#directoryTimes) {
      let fd: number | undefined
      try {
        fd = openInRoot(this.#rootFd, this.#inTree(path), oDirectory)
        utimesAt(fd, null, mtimeNs, mtimeNs)
      } catch (error) {
        // A later entry or the owner of the tree replaced it.
        if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '')) throw error
      } finally {
        if (fd !== undefined) closeFd(fd)
      }
      yield
    }
  }

  [Symbol.dispose](): void {
    this.#putOff?.steps.return?.()
    this.#file[Symbol.dispose]()
    this.#forget()
  }

  #make(entry: TarEntry, place: EntryPlace, parent: number): void {
    const name = toName(place.name)
    const found = statAt(parent, name)
    if (found !== undefined && isDirectory(found) && entry.type === 'directory') {
      this.#finishDirectory(entry, place, parent)
      return
    }
    if (found === undefined) this.#makeNew(entry, place, parent)
    else this.#clear(entry, place, parent, found)
  }

  #makeNew(entry: TarEntry, place: EntryPlace, parent: number): void {
    const name = toName(place.name)
    switch (entry.type) {
      case 'file':
        this.#file.begin(openAt(parent, name, oCreateFile, 0o600), entry)
        return
      case 'directory':
        mkdirAt(parent, name, 0o700)
        this.#finishDirectory(entry, place, parent)
        return
      case 'link':
        this.#link(entry, parent, name)
        return
      case 'symlink':
        symlinkAt(toName(entry.linkPath), parent, name)
        this.#chown(parent, name, entry)
        break
      case 'fifo':
        this.#makeNode(entry, parent, name, constants.S_IFIFO)
        break
      case 'char':
        this.#makeNode(entry, parent, name, constants.S_IFCHR)
        break
      case 'block':
        this.#makeNode(entry, parent, name, constants.S_IFBLK)
        break
      default:
        entry.type satisfies never
    }
    utimesAt(parent, name, entry.mtimeNs, entry.mtimeNs)
  }

  #makeNode(entry: TarEntry, parent: number, name: string, kind: number): void {
    mknodAt(parent, name, kind | 0o600, entry.deviceMajor, entry.deviceMinor)
    const fd = openAt(parent, name, oPath)
    try {
      // Something else may be there by now, which must stay unchanged.
      if ((fstatSync(fd).mode & constants.S_IFMT) !== kind) return
      this.#chown(fd, '', entry)
      // fchmod does not work on an O_PATH descriptor; its path in /proc is the node itself.
      chmodSync(`/proc/self/fd/${fd}`, entry.mode)
    } finally {
      closeFd(fd)
    }
  }

  #link(entry: TarEntry, parent: number, name: string): void {
    const target = placeEntry(entry.linkPath)
    linkAt(this.#directory(target.parent), toName(target.name), parent, name)
  }

  #finishDirectory(entry: TarEntry, place: EntryPlace, parent: number): void {
    const fd = openAt(parent, toName(place.name), oDirectory)
    try {
      this.#finishOpen(fd, entry)
    } finally {
      closeFd(fd)
    }
    this.#directoryTimes.set(placePath(place), entry.mtimeNs)
  }

  #finishRoot(entry: TarEntry): void {
    const fd = openInRoot(this.#rootFd, this.#inTree(''), oDirectory)
    try {
      this.#finishOpen(fd, entry)
    } finally {
      closeFd(fd)
    }
    this.#directoryTimes.set('', entry.mtimeNs)
  }

  #finishOpen(fd: number, entry: TarEntry): void {
    this.#chown(fd, '', entry)
    // After the owner, because a change of owner clears setuid and setgid.
    chmodFd(fd, entry.mode)
    setXattrs(fd, entry, this.#options.mappings)
  }

  #chown(fd: number, name: string, { uid, gid, path }: TarEntry): void {
    const { owner, mappings } = this.#options
    if (owner === 'writer') return
    const wanted = owner === 'archive' ? { uid, gid } : owner
    if (wanted.uid < 0 || wanted.gid < 0 || wanted.uid >= noId || wanted.gid >= noId) {
      throw invalidArgument(`${path} has a bad owner ${uid}:${gid}`)
    }
    if (mappings === undefined) {
      chownAt(fd, name, wanted.uid, wanted.gid)
      return
    }
    const [hostUid, hostGid] = [hostIdOf(mappings.uids, wanted.uid), hostIdOf(mappings.gids, wanted.gid)]
    if (hostUid === undefined || hostGid === undefined) {
      throw invalidArgument(`${path}: the container's user namespace has no owner ${wanted.uid}:${wanted.gid}`)
    }
    chownAt(fd, name, hostUid, hostGid)
  }

  /** Removes what an entry replaces, then makes the entry. Throws `invalidArgument` for a replacement that the options
   *  refuse. */
  #clear(entry: TarEntry, place: EntryPlace, parent: number, found: FileStatus): void {
    if (this.#options.noOverwriteDirNonDir === true) {
      const path = `/${this.#inTree(placePath(place))}`
      const { shownAs } = this.#options
      if (isDirectory(found)) {
        throw invalidArgument(`cannot overwrite directory "${path}" with non-directory "${shownAs}"`)
      }
      if (entry.type === 'directory') {
        throw invalidArgument(`cannot overwrite non-directory "${path}" with directory "${shownAs}"`)
      }
    }
    const make = () => {
      this.#directoryTimes.delete(placePath(place))
      // A path may now mean another directory.
      if (isDirectory(found)) this.#forget(parent)
      this.#makeNew(entry, place, parent)
    }
    if (isDirectory(found)) {
      this.#begin(entry.path, removeTree(parent, place.name, true), () => this.#guard(entry.path, make))
    } else {
      unlinkAt(parent, toName(place.name))
      make()
    }
  }

  /** Descriptor of a directory of the archive; makes it when it is missing. It stays open for a while. */
  #directory(path: string): number {
    const kept = this.#kept.get(path)
    if (kept !== undefined) return kept
    const fd = this.#open(path) ?? this.#makeMissing(path)
    this.#kept.set(path, fd)
    return fd
  }

  #open(path: string): number | undefined {
    try {
      return openInRoot(this.#rootFd, this.#inTree(path), oPath | constants.O_DIRECTORY)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  #makeMissing(path: string): number {
    const { parent, name } = placeEntry(path)
    // The destination itself was removed.
    if (name === '') throw invalidArgument(`${this.#options.shownAs} is not a directory any more`)
    const directory = this.#directory(parent)
    try {
      mkdirAt(directory, toName(name), impliedMode)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
    return openAt(directory, toName(name), oPath | constants.O_DIRECTORY)
  }

  #inTree(path: string): string {
    const { destination } = this.#options
    const whole = destination === '' ? path : path === '' ? destination : `${destination}/${path}`
    return toName(whole === '' ? '.' : whole)
  }

  #forget(except?: number): void {
    for (const [path, fd] of this.#kept) {
      if (fd === except) continue
      closeFd(fd)
      this.#kept.delete(path)
    }
  }

  /** Runs one step; adds the path of the entry to the error of a failing system call. */
  #guard(path: string, action: () => void): void {
    try {
      action()
    } catch (cause) {
      if (isBerthError(cause)) throw cause
      const kind = hostFaults.has(errnoOf(cause) ?? '') ? 'internal' : 'invalidArgument'
      throw new BerthError(kind, `cannot unpack ${path.slice(0, 300)}: ${messageOf(cause)}`, { cause })
    }
  }
}

/** Errors that are the host's fault, not that of the archive or of the tree's owner. */
const hostFaults: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM'])

/** Sets attributes. Like tar, ignores attributes that the file system or the writer's rights do not allow. */
function setXattrs(fd: number, entry: TarEntry, mappings: IdMappings | undefined): void {
  for (const [name, given] of entry.xattrs ?? []) {
    const isMapped = name === capabilityXattr && mappings !== undefined
    const value = isMapped ? capabilityOnHost(given, mappings) : given
    if (value === undefined || isForeignXattr(name)) continue
    try {
      setXattr(fd, name, value)
    } catch (error) {
      if (!['ENOTSUP', 'EOPNOTSUPP', 'EPERM'].includes(errnoOf(error) ?? '')) throw error
    }
  }
}
