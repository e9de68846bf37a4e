/** Turns tar entries into files of a tree that belongs to somebody else, who may change it meanwhile: what a running
 *  container does to names and directories leads a write to another place of its own tree at worst.
 *  Directories on the way are opened as if the tree's root were `/`; every other step acts on a descriptor, or on one
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

/** Who is to own what is written: whom the archive says, nobody in particular (whoever writes), or this one. */
export type TreeOwner = 'archive' | 'writer' | { readonly uid: number; readonly gid: number }

export interface TreeWriterOptions {
  /** Where in the tree the archive's root is; an existing directory, without leading slash, '' for the root. */
  readonly destination: string
  readonly owner: TreeOwner
  /** Owners are numbers of this user namespace. */
  readonly mappings?: IdMappings | undefined
  /** Refuse to replace a directory by something else, and the other way round. */
  readonly noOverwriteDirNonDir?: boolean
  /** Give the destination itself what the archive's entry for its root says. */
  readonly withRoot?: boolean
  /** The destination as messages name it. */
  readonly shownAs: string
  /** Put off what may take long. The caller awaits `settle` after each chunk and after `finish`. */
  readonly pauses?: boolean
}

/** Work that was put off, and the calls that came since and wait for it. */
interface PutOff {
  /** What messages name. */
  readonly path: string
  readonly steps: Iterator<void>
  readonly calls: (() => void)[]
}

const oDirectory = constants.O_RDONLY | constants.O_DIRECTORY
const oCreateFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
const impliedMode = 0o755
const maxKeptDirectories = 64
/** The kernel takes this for "leave it as it is". */
const noId = 0xffff_ffff

/** Synchronous, but for `settle`. Dispose it in any case; what was written stays. */
export class TreeWriter implements TarHandler, Disposable {
  readonly #rootFd: number
  readonly #options: TreeWriterOptions
  readonly #kept = new Map<string, number>()
  readonly #directoryTimes = new Map<string, bigint>()
  readonly #file = new IncomingFile((path, action) => this.#guard(path, action))
  #putOff: PutOff | undefined

  /** `rootFd` stays the caller's. */
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

  /** Sets the times of directories, which entries made inside them have changed. Called after the last entry. */
  finish(): void {
    if (this.#putOff !== undefined) {
      this.#putOff.calls.push(() => this.finish())
      return
    }
    this.#forget()
    this.#begin('the times of directories', this.#setTimes())
  }

  /** Does what was put off, with pauses for other work. `run` surrounds each part of it. */
  async settle(run: (work: () => void) => void = (work) => work()): Promise<void> {
    const slice = new TimeSlice()
    while (this.#putOff !== undefined) {
      run(() => this.#resume(slice))
      if (this.#putOff !== undefined) await slice.renew()
    }
  }

  /** Takes the steps now, or puts them off; calls that come meanwhile wait for them, after `next`. */
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
      // Of those, one may have to be put off again: the others wait for it.
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
        // Replaced by a later entry, or by whoever the tree belongs to.
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
      // Something else may stand there by now, which is not ours to change.
      if ((fstatSync(fd).mode & constants.S_IFMT) !== kind) return
      this.#chown(fd, '', entry)
      // A descriptor of O_PATH knows no fchmod; its path in /proc is the node itself.
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
    // After the owner, whose change takes setuid and setgid away.
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

  /** Makes an entry in place of something else. */
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
      // A path may mean another directory now.
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

  /** Descriptor of a directory of the archive, made when it is missing; it stays open for a while. */
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
    // The destination itself went.
    if (name === '') throw invalidArgument(`${this.#options.shownAs} is no directory any more`)
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

  /** Runs one step; a failing system call becomes an error that names the entry. */
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

/** Failures that neither the archive nor the tree's owner is to blame for. */
const hostFaults: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM'])

/** Sets attributes; a file system or writer that can't give one does without, as tar does. */
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
