/** Limits on what a directory and everything below it may take: quotas of projects, in xfs and ext4.
 *  The project is noted in the directory's own inode, and the kernel gives it to whatever is made inside; so the file
 *  system itself remembers who has a limit, and nothing has to be written down elsewhere. Ids are drawn at random and
 *  taken only when the kernel counts nobody else's files under them, whoever else uses projects there.
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
/** In the state's flags: projects are counted, and their limits hold. */
const limitsHold = 1 << 5

const getAttributes = 0x801c581f
const setAttributes = 0x401c5820
const inheritProject = 0x200

/** Ids that are drawn from. What administrators give by hand, and other engines from 1 on, is smaller. */
const firstProject = 2 ** 24
const endOfProjects = 2 ** 32 - 1
const blockBytes = 512
/** What xfs wants to have free before it makes a directory is less. */
const mountBytes = 1024 * 1024

/** Whether the file system that a directory is on has quotas of projects, and holds to their limits. */
export function hasProjectQuotas(directory: string): boolean {
  return withDirectory(directory, (fd) => {
    const state = Buffer.alloc(256)
    const result = quotactlFdCall(numberQuotactlFd, fd, getState, 0, state)
    // Neither the file system nor, before 5.14, the kernel may know what was asked.
    return result >= 0 && (state.readUInt16LE(2) & limitsHold) !== 0
  })
}

/** Lets all files below an empty directory take `sizeBytes` together, from now on, whatever its limit was. Killed midway, the directory has a
 *  project without a limit, which `unlimitTree` takes back like any other. Throws where there are no such quotas. */
export function limitTree(directory: string, sizeBytes: number): void {
  unlimitTree(directory)
  withDirectory(directory, (fd) => {
    for (let attempt = 0; attempt < 20; attempt++) {
      const project = randomInt(firstProject, endOfProjects)
      // First it is there for all to see, then others are looked for: of two that draw the same id, both draw again.
      setProject(fd, project, true)
      if (!isOurs(readLimit(fd, project, directory))) continue
      writeLimit(fd, project, { sizeBytes }, directory)
      return
    }
    throw internal(`no free quota project was found for ${directory}`)
  })
}

/** Ends the limit that `limitTree` set, and lets the id go as far as the directory itself is concerned: its files keep
 *  theirs, but nothing holds them to anything. No error where there is no limit. */
export function unlimitTree(directory: string): void {
  const outer = withDirectory(dirname(directory), projectOf)
  withDirectory(directory, (fd) => {
    const own = projectOf(fd)
    if (own === undefined || own.project < firstProject || own.project === outer?.project) return
    // With quotas switched off meanwhile there is no limit either.
    const result = quotactlFdCall(
      numberQuotactlFd,
      fd,
      setLimit,
      own.project,
      limitRecord(own.project, { sizeBytes: 0 }),
    )
    if (result < 0 && !noQuotas.has(-result)) throw systemError(result, 'quotactl', directory)
    // Directories that pass on a project refuse to take in one of another's.
    setProject(fd, outer?.project ?? 0, outer?.isInherited ?? false)
  })
}

/** Runs `work` while a tree that has a limit may take a little more, whatever it holds: overlayfs makes a directory when it
 *  is mounted, and without room for that it can only be read. The soft limit remembers the size, so that a run that was
 *  killed within is put right by the next one. */
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
/** What file systems that have no projects answer. */
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

/** Undefined when the file system has never heard of the project. */
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
  /** More, for now. */
  readonly roomBytes?: number
}

function writeLimit(fd: number, project: number, wanted: Wanted, path: string): void {
  const result = quotactlFdCall(numberQuotactlFd, fd, setLimit, project, limitRecord(project, wanted))
  if (result < 0) throw systemError(result, 'quotactl', path)
}

/** `struct fs_disk_quota` with limits of bytes, rounded up to blocks. */
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
