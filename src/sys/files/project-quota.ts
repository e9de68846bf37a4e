/** Limits on the size of a directory tree: project quotas of xfs and ext4.
 *  The project's id is in the directory's inode, and everything that is created inside inherits it. So the file system
 *  itself stores which trees have limits, and no other record is needed. Ids are chosen at random. An id is used only
 *  if the kernel counts no other files under it, so other users of projects on the file system are not disturbed.
 *  https://man7.org/linux/man-pages/man2/quotactl.2.html, https://docs.kernel.org/filesystems/quota.html */
import { randomInt } from 'node:crypto'
import { constants } from 'node:fs'
import { dirname } from 'node:path'
import { internal } from '../../base/index.ts'
import { closeFd, openFd } from '../native/fd.ts'
import { errno, rawSyscall, syscall, systemError } from '../native/ffi.ts'

/** The same number on every architecture; Linux 5.14. */
const numberQuotactlFd = 443
const quotactlFdCall = rawSyscall('int64_t syscall(int64_t number, int fd, uint32_t command, uint32_t id, void *value)')
const ioctlCall = syscall('int ioctl(int fd, uint64_t request, void *value)')

const projectQuota = 2
/** The commands of xfs (`XQM_CMD`), which the kernel translates for other file systems. */
const getLimit = command(3)
const setLimit = command(4)
const getState = command(5)
/** In the state's flags: limits of projects are enforced. */
const limitsHold = 1 << 5

const getAttributes = 0x801c581f
const setAttributes = 0x401c5820
const inheritProject = 0x200

/** The range of random ids. Ids of administrators and of other engines, which count from 1, are smaller. */
const firstProject = 2 ** 24
const endOfProjects = 2 ** 32 - 1
const blockBytes = 512
/** More than xfs needs to create a directory. */
const mountBytes = 1024 * 1024

/** True when the file system of a directory enforces project quotas. */
export function hasProjectQuotas(directory: string): boolean {
  return withDirectory(directory, (fd) => {
    const state = Buffer.alloc(256)
    const result = quotactlFdCall(numberQuotactlFd, fd, getState, 0, state)
    // The call fails on file systems without quotas, and before Linux 5.14.
    return result >= 0 && (state.readUInt16LE(2) & limitsHold) !== 0
  })
}

/** Limits the total size of all files below an empty directory to `sizeBytes`, and replaces an earlier limit. If the
 *  process is killed midway, the directory has a project without a limit, which `unlimitTree` can remove. Throws the
 *  system's error on file systems without project quotas. */
export function limitTree(directory: string, sizeBytes: number): void {
  unlimitTree(directory)
  withDirectory(directory, (fd) => {
    for (let attempt = 0; attempt < 20; attempt++) {
      const project = randomInt(firstProject, endOfProjects)
      // First set the id, then look for other users of it. Of two processes with the same id, both then choose again.
      setProject(fd, project, true)
      if (!isOurs(readLimit(fd, project, directory))) continue
      writeLimit(fd, project, { sizeBytes }, directory)
      return
    }
    throw internal(`no free quota project was found for ${directory}`)
  })
}

/** Removes the limit that `limitTree` set, and the id of the directory itself. Files below keep the id, but it limits
 *  nothing any more. No error when there is no limit. */
export function unlimitTree(directory: string): void {
  const outer = withDirectory(dirname(directory), projectOf)
  withDirectory(directory, (fd) => {
    const own = projectOf(fd)
    if (own === undefined || own.project < firstProject || own.project === outer?.project) return
    // If quotas were switched off meanwhile, there is no limit to remove.
    const result = quotactlFdCall(
      numberQuotactlFd,
      fd,
      setLimit,
      own.project,
      limitRecord(own.project, { sizeBytes: 0 }),
    )
    if (result < 0 && !noQuotas.has(-result)) throw systemError(result, 'quotactl', directory)
    // A directory whose project is inherited accepts only directories of the same project.
    setProject(fd, outer?.project ?? 0, outer?.isInherited ?? false)
  })
}

/** Runs `work` while a tree with a limit may grow a little beyond it, and returns its result. A mount of overlayfs
 *  creates a directory; without room for it, the overlay is read-only. The soft limit stores the real size. If the
 *  process is killed in `work`, the next call restores the limit from it. */
export function withRoomInTree<T>(directory: string, work: () => T): T {
  const project = withDirectory(directory, (fd) => {
    const own = projectOf(fd)
    if (own === undefined || own.project < firstProject) return undefined
    const limit = readLimit(fd, own.project, directory)
    if (limit === undefined || limit.softBytes === 0) return undefined
    return { id: own.project, sizeBytes: limit.softBytes }
  })
  if (project === undefined) return work()
  const { id, sizeBytes } = project
  const write = (roomBytes: number) =>
    withDirectory(directory, (fd) => writeLimit(fd, id, { sizeBytes, roomBytes }, directory))
  write(mountBytes)
  try {
    return work()
  } finally {
    write(0)
  }
}

interface Project {
  readonly project: number
  readonly isInherited: boolean
}

interface Limit {
  readonly hardBytes: number
  readonly softBytes: number
  readonly inodes: bigint
}

const noQuotas: ReadonlySet<number> = new Set([errno.ESRCH, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL])
/** Errors of file systems without projects. */
const noProjects: ReadonlySet<string> = new Set(['ENOTTY', 'EOPNOTSUPP', 'ENOTSUP', 'EINVAL', 'ENOSYS'])

function projectOf(fd: number): Project | undefined {
  const attributes = Buffer.alloc(28)
  try {
    ioctlCall(fd, getAttributes, attributes)
  } catch (error) {
    if (noProjects.has((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  return { project: attributes.readUInt32LE(12), isInherited: (attributes.readUInt32LE(0) & inheritProject) !== 0 }
}

function setProject(fd: number, project: number, isInherited: boolean): void {
  const attributes = Buffer.alloc(28)
  ioctlCall(fd, getAttributes, attributes)
  const flags = attributes.readUInt32LE(0)
  attributes.writeUInt32LE((isInherited ? flags | inheritProject : flags & ~inheritProject) >>> 0, 0)
  attributes.writeUInt32LE(project, 12)
  ioctlCall(fd, setAttributes, attributes)
}

/** Undefined when the file system does not know the project. */
function readLimit(fd: number, project: number, path: string): Limit | undefined {
  const record = Buffer.alloc(112)
  const result = quotactlFdCall(numberQuotactlFd, fd, getLimit, project, record)
  if (result === -errno.ENOENT) return undefined
  if (result < 0) throw systemError(result, 'quotactl', path)
  return {
    hardBytes: Number(record.readBigUInt64LE(8)) * blockBytes,
    softBytes: Number(record.readBigUInt64LE(16)) * blockBytes,
    inodes: record.readBigUInt64LE(48),
  }
}

function isOurs(limit: Limit | undefined): boolean {
  return limit === undefined || (limit.hardBytes === 0 && limit.inodes <= 1n)
}

interface Wanted {
  /** 0 for no limit. */
  readonly sizeBytes: number
  /** Temporary addition to the hard limit. */
  readonly roomBytes?: number
}

function writeLimit(fd: number, project: number, wanted: Wanted, path: string): void {
  const result = quotactlFdCall(numberQuotactlFd, fd, setLimit, project, limitRecord(project, wanted))
  if (result < 0) throw systemError(result, 'quotactl', path)
}

/** `struct fs_disk_quota`, with limits in bytes rounded up to blocks. */
function limitRecord(project: number, { sizeBytes, roomBytes = 0 }: Wanted): Buffer {
  const record = Buffer.alloc(112)
  const blocksOf = (bytes: number) => BigInt(Math.ceil(bytes / blockBytes))
  record.writeInt8(1, 0) // version
  record.writeInt8(2, 1) // of a project
  record.writeUInt16LE(0b1100, 2) // the hard and the soft limit of blocks
  record.writeUInt32LE(project, 4)
  record.writeBigUInt64LE(blocksOf(sizeBytes + roomBytes), 8)
  record.writeBigUInt64LE(blocksOf(sizeBytes), 16)
  return record
}

function command(number: number): number {
  return (((('X'.charCodeAt(0) << 8) | number) << 8) | projectQuota) >>> 0
}

function withDirectory<T>(path: string, work: (fd: number) => T): T {
  const fd = openFd(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return work(fd)
  } finally {
    closeFd(fd)
  }
}
