/** Writes files into the root of a stage. What earlier steps left there is not trusted: the destination is looked up
 *  as if the root were `/`, and below it no symlink is followed. Synchronous; runs in a worker thread when it is much. */
import { closeSync, constants, copyFileSync, fchmodSync, openSync, readSync } from 'node:fs'
import { BerthError, errnoOf, invalidArgument, isBerthError, messageOf } from '../../base/index.ts'
import {
  chmodFd,
  chownAt,
  closeFd,
  mkdirAt,
  oPath,
  openAt,
  openFd,
  openInRoot,
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
const pieceBytes = 256 * 1024
const maxOpenDirectories = 128

/** Does the job. Throws `invalidArgument` where a file and a directory are in each other's way. */
export function writeFiles(job: WriteJob): void {
  using writer = new Writer(job)
  writer.run()
}

class Writer implements Disposable {
  readonly #job: WriteJob
  readonly #rootFd: number
  readonly #spoolFd: number | undefined
  readonly #buffer = Buffer.allocUnsafe(pieceBytes)
  #open = new Map<string, number>()

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
      this.#open.set('', fd)
      this.#contents(group, made)
      this.#forget()
      return
    }
    const intoDirectory = destination.endsWith('/') || this.#isDirectory(destination)
    const whole = intoDirectory ? `${destination.replace(/\/$/, '')}/${group.name}` : destination
    const slash = whole.lastIndexOf('/')
    const { fd } = this.#makeDirectories(whole.slice(0, slash) || '/')
    try {
      const [entry] = group.entries
      if (entry !== undefined) this.#make(fd, whole.slice(slash + 1), entry)
    } finally {
      closeFd(fd)
    }
  }

  /** Times of directories last: what is made in them changes them. */
  #contents(group: WriteGroup, made: boolean): void {
    const directories: { readonly path: string; readonly entry: WriteEntry }[] = []
    for (const entry of group.entries) {
      if (entry.path === '') {
        // A destination that was there keeps owner, mode and times.
        if (made) directories.push({ path: '', entry })
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
  }

  #make(parent: number, name: string, entry: WriteEntry): void {
    const found = statAt(parent, name)
    const isDirectory = found !== undefined && (found.mode & constants.S_IFMT) === constants.S_IFDIR
    if (entry.type === 'directory') {
      if (found !== undefined && !isDirectory) throw invalidArgument(`cannot copy to non-directory: ${entry.path}`)
      if (found === undefined) mkdirAt(parent, name, 0o700)
      return
    }
    if (isDirectory) throw invalidArgument(`cannot replace to directory ${name} with file`)
    if (found !== undefined) unlinkAt(parent, name)
    if (entry.type === 'symlink') {
      symlinkAt(entry.linkPath, parent, name)
      const { uid, gid } = this.#ownerOf(entry)
      chownAt(parent, name, uid, gid)
      utimesAt(parent, name, entry.mtimeNs, entry.mtimeNs)
      return
    }
    const fd = openAt(parent, name, oCreate, 0o600)
    try {
      this.#write(fd, entry.source)
      this.#finish(fd, entry)
    } finally {
      closeFd(fd)
    }
  }

  #finish(fd: number, entry: WriteEntry): void {
    const { mode } = this.#job
    const { uid, gid } = this.#ownerOf(entry)
    const isDirectory = entry.type === 'directory'
    if (uid !== 0 || gid !== 0 || isDirectory) chownAt(fd, '', uid, gid)
    chmodFd(fd, mode === undefined ? entry.mode : applyFileMode(mode, entry.mode, isDirectory))
    for (const [name, value] of entry.xattrs ?? []) setAttribute(fd, name, value)
    utimesAt(fd, null, entry.mtimeNs, entry.mtimeNs)
  }

  #write(fd: number, source: FileSource | undefined): void {
    if (source === undefined) return
    if (source.kind === 'text') {
      writeFully(fd, Buffer.from(source.text))
      return
    }
    if (source.kind === 'range') {
      this.#copyRange(fd, source)
      return
    }
    // The kernel copies, or shares the blocks where the file system can.
    copyFileSync(source.path, `/proc/self/fd/${fd}`, constants.COPYFILE_FICLONE)
  }

  #copyRange(fd: number, { offset, sizeBytes }: { readonly offset: number; readonly sizeBytes: number }): void {
    if (this.#spoolFd === undefined) throw new BerthError('internal', 'a part of a spool without a spool')
    for (let done = 0; done < sizeBytes; ) {
      const count = readSync(this.#spoolFd, this.#buffer, 0, Math.min(pieceBytes, sizeBytes - done), offset + done)
      if (count === 0) throw new BerthError('dataLoss', 'the spool of a context is too short')
      writeFully(fd, this.#buffer.subarray(0, count))
      done += count
    }
  }

  #ownerOf({ uid, gid }: WriteEntry): { readonly uid: number; readonly gid: number } {
    return this.#job.owner ?? { uid, gid }
  }

  /** A directory below the group's place, by its path. */
  #directory(path: string): number {
    const known = this.#open.get(path)
    if (known !== undefined) return known
    const slash = path.lastIndexOf('/')
    const parent = this.#directory(slash === -1 ? '' : path.slice(0, slash))
    const fd = openAt(parent, path.slice(slash + 1), oDirectory)
    if (this.#open.size >= maxOpenDirectories) this.#forget('')
    this.#open.set(path, fd)
    return fd
  }

  #forget(except?: string): void {
    const kept = new Map<string, number>()
    for (const [path, fd] of this.#open) {
      if (path === except) kept.set(path, fd)
      else closeFd(fd)
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

  /** Opens a directory, made when it is missing, as are those above it; symlinks on the way are followed inside the root. */
  #makeDirectories(path: string): { readonly fd: number; readonly made: boolean } {
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
        next = this.#makeOne(fd, walked, name)
        made = true
      }
      closeFd(fd)
      fd = next
    }
    return { fd, made }
  }

  /** The target of a dangling symlink is made, as mkdir -p would have it. */
  #makeOne(parent: number, walked: string, name: string): number {
    const found = statAt(parent, name)
    if (found !== undefined && (found.mode & constants.S_IFMT) === constants.S_IFLNK) {
      throw invalidArgument(`${walked} is a symlink to what does not exist`)
    }
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

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')
}

function setAttribute(fd: number, name: string, value: Uint8Array): void {
  if (name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')) return
  try {
    setXattr(fd, name, value)
  } catch (error) {
    if (!['ENOTSUP', 'EOPNOTSUPP', 'EPERM'].includes(errnoOf(error) ?? '')) throw error
  }
}
