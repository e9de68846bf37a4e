/** Writes files into the root of a stage. What earlier steps left there is not trusted: the destination is resolved as
 *  if the root were `/`, and no symlink below it is followed. All calls are synchronous; larger jobs run in a worker
 *  thread. */
import { closeSync, constants, copyFileSync, fchmodSync, fstatSync, openSync, readlinkSync, readSync } from 'node:fs'
import { BerthError, errnoOf, invalidArgument, isBerthError, messageOf } from '../../base/index.ts'
import {
  chmodFd,
  chownAt,
  closeFd,
  isForeignXattr,
  mkdirAt,
  oPath,
  openAt,
  openFd,
  openInRoot,
  readlinkAt,
  setXattr,
  statAt,
  symlinkAt,
  unlinkAt,
  utimesAt,
  writeFully,
} from '../../sys/index.ts'
import { applyFileMode } from '../dockerfile/index.ts'
import type { FileSource, WriteEntry, WriteGroup, WriteJob } from './write-job.ts'

const oDirectory = constants.O_RDONLY | constants.O_DIRECTORY
const oCreate = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
const windowBytes = 1024 * 1024
const maxOpenDirectories = 128
const maxLinks = 40

/** Does the job and gives the number of bytes written. Throws `invalidArgument` when a file would replace a directory
 *  or a directory a file. */
export function writeFiles(job: WriteJob): number {
  using writer = new Writer(job)
  writer.run()
  return writer.writtenBytes
}

class Writer implements Disposable {
  readonly #job: WriteJob
  readonly #rootFd: number
  readonly #spoolFd: number | undefined
  readonly #umask = process.umask()
  /** A read-ahead window of the spool. Files mostly lie there in the order in which they are written. */
  readonly #window = { bytes: Buffer.allocUnsafe(windowBytes), offset: 0, length: 0 }
  /** File descriptors of directories below the group's destination, by path. */
  #open = new Map<string, number>()
  /** Descriptors of directories with the setgid bit, whose group new files inherit. */
  readonly #setgid = new Set<number>()
  writtenBytes = 0

  constructor(job: WriteJob) {
    this.#job = job
    this.#rootFd = openFd(job.root, oDirectory)
    this.#spoolFd = job.spool === undefined ? undefined : openSync(job.spool, 'r')
  }

  run(): void {
    const { destination, groups, onlyDirectory = false } = this.#job
    if (onlyDirectory) {
      closeFd(this.#makeDirectories(destination).fd)
      return
    }
    for (const group of groups) this.#guard(group.name, () => this.#group(group))
  }

  [Symbol.dispose](): void {
    this.#forget()
    closeFd(this.#rootFd)
    if (this.#spoolFd !== undefined) closeSync(this.#spoolFd)
  }

  #group(group: WriteGroup): void {
    const { destination } = this.#job
    if (group.isDirectory) {
      const { fd, made } = this.#makeDirectories(destination)
      this.#forget()
      this.#keep('', made ? this.#pastTheMount(fd) : fd)
      this.#contents(group, made)
      this.#forget()
      return
    }
    const intoDirectory = destination.endsWith('/') || this.#isDirectory(destination)
    const whole = intoDirectory ? `${destination.replace(/\/$/, '')}/${group.name}` : destination
    const { fd, name } = this.#place(whole, !intoDirectory)
    try {
      const [entry] = group.entries
      if (entry !== undefined) this.#make(fd, name, entry)
    } finally {
      closeFd(fd)
    }
  }

  /** Opens the directory of a file and creates it if it is missing. A destination that is a symlink means its target,
   *  whether it exists or not. A symlink inside a copied directory is not followed. */
  #place(whole: string, isFollowed: boolean, links = 0): { readonly fd: number; readonly name: string } {
    const slash = whole.lastIndexOf('/')
    const name = whole.slice(slash + 1)
    if (['', '.', '..'].includes(name)) throw invalidArgument(`cannot copy a file to ${whole}`)
    const { fd } = this.#makeDirectories(whole.slice(0, slash) || '/')
    if (!isFollowed || !isSymlink(fd, name)) return { fd, name }
    const target = this.#targetOf(fd, whole, name, links)
    closeFd(fd)
    return this.#place(target, true, links + 1)
  }

  #targetOf(parent: number, whole: string, name: string, links: number): string {
    if (links >= maxLinks) throw invalidArgument(`too many levels of symbolic links: ${whole}`)
    const link = readlinkAt(parent, name).toString()
    return link.startsWith('/') ? link : `${whole.slice(0, whole.lastIndexOf('/'))}/${link}`
  }

  /** Directories get their times last, because creating entries in them changes the times. */
  #contents(group: WriteGroup, made: boolean): void {
    const directories: { readonly path: string; readonly entry: WriteEntry }[] = []
    let destination: WriteEntry | undefined
    for (const entry of group.entries) {
      if (entry.path === '') {
        // An existing destination keeps its owner, mode and times. A new one takes only the times of the source.
        if (made) destination = entry
        continue
      }
      const slash = entry.path.lastIndexOf('/')
      const parent = this.#directory(slash === -1 ? '' : entry.path.slice(0, slash))
      this.#make(parent, entry.path.slice(slash + 1), entry)
      if (entry.type === 'directory') directories.push({ path: entry.path, entry })
    }
    for (const { path, entry } of directories.reverse()) {
      const fd = this.#directory(path)
      this.#finish(fd, entry)
    }
    if (destination !== undefined) utimesAt(this.#directory(''), null, destination.mtimeNs, destination.mtimeNs)
  }

  #make(parent: number, name: string, entry: WriteEntry): void {
    try {
      this.#create(parent, name, entry)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      if (this.#giveWay(parent, name, entry)) this.#create(parent, name, entry)
    }
  }

  /** Creates the entry. Throws EEXIST when something is there. */
  #create(parent: number, name: string, entry: WriteEntry): void {
    if (entry.type === 'directory') {
      mkdirAt(parent, name, 0o700)
      return
    }
    if (entry.type === 'symlink') {
      symlinkAt(entry.linkPath, parent, name)
      const { uid, gid } = this.#ownerOf(entry)
      chownAt(parent, name, uid, gid)
      utimesAt(parent, name, entry.mtimeNs, entry.mtimeNs)
      return
    }
    const mode = this.#modeOf(entry)
    const fd = openAt(parent, name, oCreate, mode & 0o777)
    try {
      this.#write(fd, entry.source)
      this.#finishFile(fd, entry, mode, this.#setgid.has(parent))
    } finally {
      closeFd(fd)
    }
  }

  /** Removes what is in the way. Gives false when it is a directory and a directory is wanted. */
  #giveWay(parent: number, name: string, entry: WriteEntry): boolean {
    const found = statAt(parent, name)
    if (found === undefined) return true
    const isDirectory = (found.mode & constants.S_IFMT) === constants.S_IFDIR
    if (entry.type === 'directory') {
      if (!isDirectory) throw invalidArgument(`cannot copy to non-directory: ${entry.path}`)
      return false
    }
    if (isDirectory) throw invalidArgument(`cannot replace to directory ${name} with file`)
    unlinkAt(parent, name)
    return true
  }

  #modeOf(entry: WriteEntry): number {
    const { mode } = this.#job
    return mode === undefined ? entry.mode : applyFileMode(mode, entry.mode, entry.type === 'directory')
  }

  /** Sets owner and mode only where they differ. New files mostly have the right ones already. */
  #finishFile(fd: number, entry: WriteEntry, mode: number, isInherited: boolean): void {
    const { uid, gid } = this.#ownerOf(entry)
    if (uid !== 0 || gid !== 0 || isInherited) chownAt(fd, '', uid, gid)
    // A copy made by the kernel has the mode of the source file.
    const isOther = entry.source?.kind === 'path' && mode !== entry.mode
    if (mode > 0o777 || (mode & this.#umask) !== 0 || isOther) chmodFd(fd, mode)
    for (const [name, value] of entry.xattrs ?? []) setAttribute(fd, name, value)
    utimesAt(fd, null, entry.mtimeNs, entry.mtimeNs)
  }

  #finish(fd: number, entry: WriteEntry): void {
    const { uid, gid } = this.#ownerOf(entry)
    chownAt(fd, '', uid, gid)
    chmodFd(fd, this.#modeOf(entry))
    for (const [name, value] of entry.xattrs ?? []) setAttribute(fd, name, value)
    utimesAt(fd, null, entry.mtimeNs, entry.mtimeNs)
  }

  #write(fd: number, source: FileSource | undefined): void {
    if (source === undefined) return
    if (source.kind === 'text') {
      const bytes = Buffer.from(source.text)
      writeFully(fd, bytes)
      this.writtenBytes += bytes.length
      return
    }
    if (source.kind === 'range') {
      this.#copyRange(fd, source.offset, source.sizeBytes)
      this.writtenBytes += source.sizeBytes
      return
    }
    // The kernel copies the data, or shares the blocks if the file system can.
    copyFileSync(source.path, `/proc/self/fd/${fd}`, constants.COPYFILE_FICLONE)
    this.writtenBytes += fstatSync(fd).size
  }

  #copyRange(fd: number, offset: number, sizeBytes: number): void {
    const { bytes } = this.#window
    for (let done = 0; done < sizeBytes; ) {
      const at = this.#read(offset + done)
      const count = Math.min(this.#window.length - at, sizeBytes - done)
      writeFully(fd, bytes.subarray(at, at + count))
      done += count
    }
  }

  /** Position in the window of the spool's byte at `offset`. */
  #read(offset: number): number {
    const window = this.#window
    const at = offset - window.offset
    if (at >= 0 && at < window.length) return at
    if (this.#spoolFd === undefined) throw new BerthError('internal', 'a part of a spool without a spool')
    window.offset = offset
    window.length = readSync(this.#spoolFd, window.bytes, 0, windowBytes, offset)
    if (window.length === 0) throw new BerthError('dataLoss', 'the spool of a context is too short')
    return 0
  }

  #ownerOf({ uid, gid }: WriteEntry): { readonly uid: number; readonly gid: number } {
    return this.#job.owner ?? { uid, gid }
  }

  /** Descriptor of a directory below the group's destination, by its path. */
  #directory(path: string): number {
    const known = this.#open.get(path)
    if (known !== undefined) return known
    const slash = path.lastIndexOf('/')
    const parent = this.#directory(slash === -1 ? '' : path.slice(0, slash))
    const fd = openAt(parent, path.slice(slash + 1), oDirectory)
    if (this.#open.size >= maxOpenDirectories) this.#forget('')
    this.#keep(path, fd)
    return fd
  }

  #keep(path: string, fd: number): void {
    this.#open.set(path, fd)
    if ((fstatSync(fd).mode & 0o2000) !== 0) this.#setgid.add(fd)
  }

  /** The same directory in the layer's own directory. The directory is new, so it hides nothing of the layers below,
   *  and writing there avoids overlayfs, which doubles the cost of each call. */
  #pastTheMount(fd: number): number {
    const { root, upper } = this.#job
    const shown = readlinkSync(`/proc/self/fd/${fd}`)
    if (upper === undefined || !shown.startsWith(`${root}/`)) return fd
    const own = openFd(`${upper}${shown.slice(root.length)}`, oDirectory | constants.O_NOFOLLOW)
    closeFd(fd)
    return own
  }

  #forget(except?: string): void {
    const kept = new Map<string, number>()
    for (const [path, fd] of this.#open) {
      if (path === except) kept.set(path, fd)
      else {
        closeFd(fd)
        this.#setgid.delete(fd)
      }
    }
    this.#open = kept
  }

  #isDirectory(path: string): boolean {
    try {
      closeFd(openInRoot(this.#rootFd, path, oPath | constants.O_DIRECTORY))
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  /** Opens a directory, and creates it and its parents if they are missing. Symlinks on the way are resolved inside the
   *  root. */
  #makeDirectories(path: string, links = 0): { readonly fd: number; readonly made: boolean } {
    let fd = openFd(`/proc/self/fd/${this.#rootFd}/.`, oDirectory)
    let made = false
    let walked = ''
    for (const name of path.split('/').filter((part) => part !== '')) {
      walked += `/${name}`
      let next: number
      try {
        next = openInRoot(this.#rootFd, walked, oDirectory)
        made = false
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') {
          closeFd(fd)
          if (errnoOf(error) === 'ENOTDIR') throw invalidArgument(`cannot copy to non-directory: ${walked}`)
          throw error
        }
        next = this.#makeOne(fd, walked, name, links)
        made = true
      }
      closeFd(fd)
      fd = next
    }
    return { fd, made }
  }

  /** Creates one directory. For a dangling symlink its target is created, as `mkdir -p` does. */
  #makeOne(parent: number, walked: string, name: string, links: number): number {
    if (isSymlink(parent, name)) return this.#makeDirectories(this.#targetOf(parent, walked, name, links), links + 1).fd
    mkdirAt(parent, name, 0o755)
    const fd = openAt(parent, name, oDirectory)
    const { owner } = this.#job
    if (owner !== undefined) chownAt(fd, '', owner.uid, owner.gid)
    fchmodSync(fd, 0o755)
    return fd
  }

  #guard(name: string, work: () => void): void {
    try {
      work()
    } catch (cause) {
      if (isBerthError(cause)) throw cause
      const kind = ['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENOMEM'].includes(errnoOf(cause) ?? '')
        ? 'internal'
        : 'invalidArgument'
      throw new BerthError(kind, `cannot copy ${name}: ${messageOf(cause)}`, { cause })
    }
  }
}

function isSymlink(parent: number, name: string): boolean {
  const found = statAt(parent, name)
  return found !== undefined && (found.mode & constants.S_IFMT) === constants.S_IFLNK
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')
}

function setAttribute(fd: number, name: string, value: Uint8Array): void {
  if (isForeignXattr(name)) return
  try {
    setXattr(fd, name, value)
  } catch (error) {
    if (!['ENOTSUP', 'EOPNOTSUPP', 'EPERM'].includes(errnoOf(error) ?? '')) throw error
  }
}
