/** Plain operations on descriptors. Everything opened here is close-on-exec. */

import { constants, writeSync } from 'node:fs'
import { errno, rawSyscall, syscall, systemError } from './ffi.ts'

const openCall = syscall('int open(const char *path, int flags, uint32_t mode)')
const pipe2 = syscall('int pipe2(_Out_ int *fds, int flags)')
const closeCall = rawSyscall('int close(int fd)')
const readCall = rawSyscall('int64_t read(int fd, _Out_ void *data, size_t length)')
const writeCall = rawSyscall('int64_t write(int fd, const void *data, size_t length)')
const fcntl = syscall('int fcntl(int fd, int command, int64_t argument)')

/** Open flags that `node:fs` does not name (the same number on x86-64 and arm64). */
export const oCloexec = 0o2000000
export const oPath = 0o10000000

const fDupfdCloexec = 1030

/** Opens a path; O_CLOEXEC is always added. */
export function openFd(path: string, flags: number, mode = 0o600): number {
  return openCall(path, flags | oCloexec, mode)
}

/** Closes a descriptor; closing one that is closed already is a bug and throws EBADF. */
export function closeFd(fd: number): void {
  const result = closeCall(fd)
  // Linux frees the descriptor even when close reports EINTR or a delayed write error.
  if (result === -errno.EBADF) throw systemError(result, 'close')
}

/** A pipe, both ends close-on-exec and blocking (FdPoll makes the polled end non-blocking). */
export function makePipe(): [read: number, write: number] {
  const ends = new Int32Array(2)
  pipe2(ends, oCloexec)
  return [ends[0] ?? -1, ends[1] ?? -1]
}

/** A second descriptor for the same open file, numbered `minimum` or higher. */
export function duplicateFd(fd: number, minimum = 0): number {
  return fcntl(fd, fDupfdCloexec, minimum)
}

/** Makes reads and writes of the open file fail with EAGAIN instead of blocking. */
export function setNonBlocking(fd: number): void {
  const getFlags = 3
  const setFlags = 4
  fcntl(fd, setFlags, fcntl(fd, getFlags, 0) | constants.O_NONBLOCK)
}

/** Reads once into `buffer`: the count (0 at the end), or a negative errno (`-errno.EAGAIN` when nothing is there). */
export function readFd(fd: number, buffer: Uint8Array): number {
  return readCall(fd, buffer, buffer.byteLength)
}

/** Writes once: the count, or a negative errno (`-errno.EAGAIN` when nothing fits). */
export function writeFd(fd: number, data: Uint8Array): number {
  return writeCall(fd, data, data.byteLength)
}

/** Writes all of `bytes` to a file, at `position` or else where the descriptor stands: one write may take less. */
export function writeFully(fd: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, position === undefined ? null : position + done)
  }
}
