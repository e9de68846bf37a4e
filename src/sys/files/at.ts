/** File system calls relative to a directory descriptor, and openat2(2). They allow safe work in a hostile tree. A name
 *  for the `*At` calls is one path component, or '' for the open file itself, so that no symlink in the middle of a
 *  path can lead elsewhere. All of them throw the system's error, and can be used in worker threads. */
import { constants } from 'node:fs'
import { oCloexec } from '../native/fd.ts'
import { errno, nativeFunction, rawSyscall, syscall, systemError } from '../native/ffi.ts'

// The same number on every architecture.
const numberOpenat2 = 437
const resolveNoMagiclinks = 0x02
const resolveInRoot = 0x10
const atSymlinkNofollow = 0x100
const atRemovedir = 0x200
const atEmptyPath = 0x1000
const utimeOmit = (1n << 30n) - 2n

const openat2Call = rawSyscall('int64_t syscall(int64_t number, int fd, const char *path, void *how, size_t size)')
const openatCall = syscall('int openat(int fd, const char *name, int flags, uint32_t mode)')
const mkdiratCall = syscall('int mkdirat(int fd, const char *name, uint32_t mode)')
const mknodatCall = syscall('int mknodat(int fd, const char *name, uint32_t mode, uint64_t device)')
const symlinkatCall = syscall('int symlinkat(const char *target, int fd, const char *name)')
const linkatCall = syscall('int linkat(int fromFd, const char *from, int toFd, const char *to, int flags)')
const unlinkatCall = syscall('int unlinkat(int fd, const char *name, int flags)')
const fchownatCall = syscall('int fchownat(int fd, const char *name, uint32_t uid, uint32_t gid, int flags)')
const fchmodCall = syscall('int fchmod(int fd, uint32_t mode)')
const fchmodatCall = syscall('int fchmodat(int fd, const char *name, uint32_t mode, int flags)')
const utimensatCall = syscall('int utimensat(int fd, const char *name, void *times, int flags)')
const futimensCall = syscall('int futimens(int fd, void *times)')
const readlinkatCall = syscall('int64_t readlinkat(int fd, const char *name, _Out_ uint8_t *buffer, size_t size)')
const statxCall = rawSyscall('int statx(int fd, const char *name, int flags, uint32_t mask, _Out_ uint8_t *buffer)')
const ftruncateCall = syscall('int ftruncate(int fd, int64_t length)')
const gnuDevMakedev = nativeFunction('uint64_t gnu_dev_makedev(uint32_t major, uint32_t minor)')

/** The status of a file, as of statx(2). */
export interface FileStatus {
  /** Type and permissions, as in st_mode. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
  readonly links: number
  readonly ino: bigint
  /** Of a device node: which device it is. */
  readonly deviceMajor: number
  readonly deviceMinor: number
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint
}

/** Opens a path as if `rootFd` were the root directory: `..`, absolute symlinks and symlinks at any place stay inside,
 *  and /proc's magic links are refused (ELOOP). Always close-on-exec. Retries when a concurrent rename disturbed the
 *  walk. */
export function openInRoot(rootFd: number, path: string, flags: number, mode = 0): number {
  const how = Buffer.alloc(24)
  how.writeBigUInt64LE(BigInt(flags | oCloexec), 0)
  how.writeBigUInt64LE(BigInt(mode), 8)
  how.writeBigUInt64LE(BigInt(resolveInRoot | resolveNoMagiclinks), 16)
  for (let attempt = 0; ; attempt++) {
    const fd = openat2Call(numberOpenat2, rootFd, path, how, how.byteLength)
    if (fd >= 0) return fd
    if (fd !== -errno.EAGAIN || attempt >= 100) throw systemError(fd, 'openat2', path)
  }
}

/** Opens a name in a directory. Throws ELOOP for a symlink. Always close-on-exec. */
export function openAt(fd: number, name: string, flags: number, mode = 0): number {
  return openatCall(fd, name, flags | constants.O_NOFOLLOW | oCloexec, mode)
}

/** Creates a directory; the umask applies to `mode`. */
export function mkdirAt(fd: number, name: string, mode: number): void {
  mkdiratCall(fd, name, mode)
}

/** Creates a device node, fifo, socket or file. `mode` includes the type (S_IFCHR, …); the umask applies to it. */
export function mknodAt(fd: number, name: string, mode: number, major = 0, minor = 0): void {
  mknodatCall(fd, name, mode, gnuDevMakedev(major, minor))
}

/** Creates a symlink to `target`. */
export function symlinkAt(target: string, fd: number, name: string): void {
  symlinkatCall(target, fd, name)
}

/** Creates a hard link. If `from` is a symlink, the link itself is linked. */
export function linkAt(fromFd: number, from: string, toFd: number, to: string): void {
  linkatCall(fromFd, from, toFd, to, 0)
}

/** Removes a file; with `directory`, an empty directory. */
export function unlinkAt(fd: number, name: string, { directory = false }: { readonly directory?: boolean } = {}): void {
  unlinkatCall(fd, name, directory ? atRemovedir : 0)
}

/** Sets the owner of a name; of the link itself if it is a symlink. '' means the open file. */
export function chownAt(fd: number, name: string, uid: number, gid: number): void {
  fchownatCall(fd, name, uid, gid, name === '' ? atEmptyPath : atSymlinkNofollow)
}

/** Sets the permissions of an open file. Does not work with an O_PATH descriptor. */
export function chmodFd(fd: number, mode: number): void {
  fchmodCall(fd, mode)
}

/** Sets the permissions of a name. The kernel follows symlinks here, so the name must be known not to be one. */
export function chmodAt(fd: number, name: string, mode: number): void {
  fchmodatCall(fd, name, mode, 0)
}

/** Sets the times of a name, in nanoseconds since 1970; of the link itself if it is a symlink. Undefined leaves a time
 *  as it is. A null name means the open file. */
export function utimesAt(
  fd: number,
  name: string | null,
  atimeNs: bigint | undefined,
  mtimeNs: bigint | undefined,
): void {
  const times = Buffer.alloc(32)
  putTime(times, 0, atimeNs)
  putTime(times, 16, mtimeNs)
  if (name === null) futimensCall(fd, times)
  else utimensatCall(fd, name, times, atSymlinkNofollow)
}

/** The target of a symlink, as bytes. */
export function readlinkAt(fd: number, name: string): Buffer {
  const buffer = Buffer.allocUnsafe(4096)
  return Buffer.from(buffer.subarray(0, readlinkatCall(fd, name, buffer, buffer.byteLength)))
}

/** The status of a name; of the link itself if it is a symlink. '' means the open file. Undefined when the name does
 *  not exist. */
export function statAt(fd: number, name: string): FileStatus | undefined {
  const basicStats = 0x7ff
  const buffer = Buffer.allocUnsafe(256)
  const result = statxCall(fd, name, atSymlinkNofollow | (name === '' ? atEmptyPath : 0), basicStats, buffer)
  if (result === -errno.ENOENT) return undefined
  if (result < 0) throw systemError(result, 'statx', name)
  return {
    mode: buffer.readUInt16LE(28),
    uid: buffer.readUInt32LE(20),
    gid: buffer.readUInt32LE(24),
    sizeBytes: Number(buffer.readBigUInt64LE(40)),
    links: buffer.readUInt32LE(16),
    ino: buffer.readBigUInt64LE(32),
    deviceMajor: buffer.readUInt32LE(128),
    deviceMinor: buffer.readUInt32LE(132),
    mtimeNs: buffer.readBigInt64LE(112) * 1_000_000_000n + BigInt(buffer.readUInt32LE(120)),
  }
}

/** Sets the length of an open file. A longer file gets a hole at its end. */
export function truncateFd(fd: number, sizeBytes: number): void {
  ftruncateCall(fd, sizeBytes)
}

function putTime(buffer: Buffer, offset: number, timeNs: bigint | undefined): void {
  const second = 1_000_000_000n
  if (timeNs === undefined) {
    buffer.writeBigInt64LE(utimeOmit, offset + 8)
    return
  }
  // Times before 1970 are negative: the nanoseconds still count upwards.
  const nanoseconds = ((timeNs % second) + second) % second
  buffer.writeBigInt64LE((timeNs - nanoseconds) / second, offset)
  buffer.writeBigInt64LE(nanoseconds, offset + 8)
}
