/** Basic operations on descriptors. All new descriptors are close-on-exec. Failures throw a SystemError unless a
 *  function says otherwise. */
import { constants, writeSync } from 'node:fs'
import { errno, rawSyscall, syscall, systemError } from './ffi.ts'

const ioctlCall = syscall('int ioctl(int fd, uint64_t request, void *argument)')
const fionread = 0x541b

const openCall = syscall('int open(const char *path, int flags, uint32_t mode)')
const pipe2 = syscall('int pipe2(_Out_ int *fds, int flags)')
const closeCall = rawSyscall('int close(int fd)')
const readCall = rawSyscall('int64_t read(int fd, _Out_ void *data, size_t length)')
const writeCall = rawSyscall('int64_t write(int fd, const void *data, size_t length)')
const fcntl = syscall('int fcntl(int fd, int command, int64_t argument)')
const pollCall = syscall('int poll(void *fds, uint64_t count, int timeout)')

/** O_CLOEXEC, which `node:fs` lacks. The number is the same on x86-64 and arm64, as is that of O_PATH. */
export const oCloexec = 0o2000000
/** O_PATH: a descriptor that only names a file. */
export const oPath = 0o10000000

const fDupfdCloexec = 1030
const pollHup = 0x10

/** Opens a path; open(2). `mode` applies to a new file. */
export function openFd(path: string, flags: number, mode = 0o600): number {
  return openCall(path, flags | oCloexec, mode)
}

/** Closes a descriptor. Throws EBADF for one that is closed already, which is a bug of the caller. */
export function closeFd(fd: number): void {
  const result = closeCall(fd)
  // Linux frees the descriptor even when close reports EINTR or a delayed write error.
  if (result === -errno.EBADF) throw systemError(result, 'close')
}

/** Creates a pipe. Both ends are blocking; FdPoll makes a polled end non-blocking. */
export function makePipe(): [read: number, write: number] {
  const ends = new Int32Array(2)
  pipe2(ends, oCloexec)
  return [ends[0] ?? -1, ends[1] ?? -1]
}

/** Duplicates a descriptor to one with the number `minimum` or higher. */
export function duplicateFd(fd: number, minimum = 0): number {
  return fcntl(fd, fDupfdCloexec, minimum)
}

/** Makes reads from and writes to the open file fail with EAGAIN instead of blocking. */
export function setNonBlocking(fd: number): void {
  const getFlags = 3
  const setFlags = 4
  fcntl(fd, setFlags, fcntl(fd, getFlags, 0) | constants.O_NONBLOCK)
}

/** Reads once into `buffer`. Returns the number of bytes (0 at the end), or a negative errno: `-errno.EAGAIN` when
 *  there is no data. */
export function readFd(fd: number, buffer: Uint8Array): number {
  return readCall(fd, buffer, buffer.byteLength)
}

/** Writes once. Returns the number of bytes, or a negative errno: `-errno.EAGAIN` when there is no room. */
export function writeFd(fd: number, data: Uint8Array): number {
  return writeCall(fd, data, data.byteLength)
}

/** The number of bytes in a pipe or fifo that are written and not yet read. Either end can ask. pipe(7), FIONREAD */
export function unreadBytes(fd: number): number {
  const count = new Int32Array(1)
  ioctlCall(fd, fionread, count)
  return count[0] ?? 0
}

/** Writes all of `bytes` to a file, with as many writes as needed, at `position` or else at the descriptor's
 *  position. */
export function writeFully(fd: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, position === undefined ? null : position + done)
  }
}

/** True when the other end of a unix socket or pipe is closed. A peer that only closed its sending side does not count.
 *  For TCP connections the kernel can't tell. poll(2) */
export function isHungUp(fd: number): boolean {
  // struct pollfd: descriptor, requested events, returned events.
  const entry = Buffer.alloc(8)
  entry.writeInt32LE(fd, 0)
  pollCall(entry, 1, 0)
  return (entry.readInt16LE(6) & pollHup) !== 0
}
